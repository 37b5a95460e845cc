"""Where the rows of a source went: dropped by the filter, merged or dropped as repeats, or kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cofilter.preparation.duplicates import NEW_SCALES

# What `settle_duplicates` counts, in the order in which it happens.
_REASONS = {
    "within": "repeats inside a part",
    "returned": "pairs with a total of 0 or less",
    "earlier": "repeats of an earlier part",
}
_KEPT = {
    "error": "a pair",
    "last": "a pair's latest rating",
    "mean": "the mean of a pair's ratings",
    "max": "a pair's largest rating",
    "sum": "the sum of a pair's ratings",
    "count": "the number of a pair's rows",
}


def losses(audit: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Rows that the duplicate policy merged or dropped, for each reason by part.

    Takes the audit of a split. A reason that the policy does not know is left out; one that took
    no row has zeros. The rows of a part before the policy are those after it plus its losses.
    """
    counts = audit["duplicates"]
    return {words: dict(counts[key]) for key, words in _REASONS.items() if key in counts}


def rows_lost(audit: Mapping[str, Any]) -> int:
    """All rows of `losses`."""
    return sum(sum(by_part.values()) for by_part in losses(audit).values())


def dropped_by_filter(source: Mapping[str, Any], audit: Mapping[str, Any]) -> int:
    """Rows of the source's table that are not among those that the split was given."""
    return int(source["rows"]) - _rows_given(audit)


def filter_losses(report: Mapping[str, Any]) -> dict[str, int]:
    """Rows that each rule of the filter dropped, in the order in which the rules run.

    Takes the filter's report; a rule that dropped none has 0.
    """
    return {
        f"{step['rule']}={step['value']}": step["before"]["rows"] - step["after"]["rows"]
        for step in report["rules"]
    }


def repeats_told(audit: Mapping[str, Any]) -> list[str]:
    """What the policy merged or dropped, and what it kept of a pair, a line each.

    Takes the audit of a split; where no row went there is no line. No line holds a semicolon.
    """
    lost = rows_lost(audit)
    if not lost:
        return []
    policy = audit["duplicates"]["policy"]
    reasons = [
        f"{sum(by_part.values()):,} {words} ({_parts(by_part)})"
        for words, by_part in losses(audit).items()
        if any(by_part.values())
    ]
    hint = "" if policy in NEW_SCALES else ", for counts and clicks sum or count adds up its rows"
    return [
        f"{lost:,} of {_rows_given(audit):,} rows were merged or dropped by "
        f"split.duplicates={policy}: {', '.join(reasons)}",
        f"split.duplicates={policy} keeps {_KEPT[policy]} in the first part that has it{hint}",
    ]


def _rows_given(audit: Mapping[str, Any]) -> int:
    return rows_lost(audit) + sum(part["rows"] for part in audit["parts"].values())


def _parts(by_part: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in by_part.items() if count)
