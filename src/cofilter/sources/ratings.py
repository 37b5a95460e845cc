"""Raw columns checked row by row and brought to cofilter's ratings table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from cofilter.core.columns import ITEM, PART, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError
from cofilter.core.parts import PARTS
from cofilter.core.weights import EXPECTED, acceptable
from cofilter.sources.ids import as_read, missing, placeholders
from cofilter.sources.number_text import numbers, why_no_number
from cofilter.sources.table import RawTable
from cofilter.sources.timestamps import FormError, expected_timestamp, parse_timestamps

_PART = f"{', '.join(PARTS[:-1])} or {PARTS[-1]} is expected, and other names are not guessed"


@dataclass(frozen=True)
class Rules:
    """What a row must fulfil, and what happens to one that does not."""

    scale: tuple[float, float] | None
    timestamp_format: str
    skip: bool  # leave invalid rows out and count them, instead of an error
    decimal: str = "."
    null_values: tuple[str, ...] = ()  # texts that stand for a missing value


@dataclass(frozen=True)
class Checked:
    """Valid rows in the file's order; ids still as the file has them.

    ``table`` has user_id, item_id, rating (float32); timestamp (int64) if the source has times;
    weight (float32) and part (str) if the file says them. ``skipped`` counts the lines left
    out, by reason: those of the file that are no rows, and invalid rows.
    """

    table: pl.DataFrame
    skipped: dict[str, int]


@dataclass(frozen=True)
class _Check:
    reason: str
    column: str
    bad: pl.Series
    expected: Callable[[object], str]
    may_skip: bool = True
    remedy: str = ""  # what else settles it


def check_ratings(raw: RawTable, rules: Rules) -> Checked:
    """Parse ratings and times, and check every row.

    Without a rating column every row counts as 1. A row with several faults counts under the
    first of: user_missing, item_missing, rating_not_a_number, rating_out_of_scale,
    timestamp_unreadable, weight_impossible (negative or not finite). A part that is not train,
    validation or test is never skipped, since to skip ``valid`` would lose a whole part, nor is an
    id that spells a missing value (see `cofilter.sources.ids.PLACEHOLDERS`).

    Raises
    ------
    DataError
        A row is invalid and ``rules.skip`` is off (the first one is named), a part has an unknown
        name, the times have no one form, no valid row is left, or all weights are 0.
    """
    frame = without_nulls(raw.frame, rules.null_values)
    if frame.is_empty():
        raise DataError(f"{raw.label}: the file has no rows")
    parsed = _parsed(raw, frame, rules)
    skipped = {"blank_line": 0, "comment": 0, **raw.skipped}
    valid = pl.repeat(True, len(frame), eager=True)
    for check in _checks(parsed, rules):
        bad = check.bad & valid
        count = int(bad.sum())
        if count and not (rules.skip and check.may_skip):
            first = int(bad.arg_true()[0])
            raise DataError(_message(raw, check, frame[check.column][first], first, count))
        if check.may_skip:
            skipped[check.reason] = count
        valid = valid & ~bad
    table = pl.DataFrame(parsed)
    if any(skipped.values()):
        table = table.filter(valid)
    if table.is_empty():
        raise DataError(f"{raw.label}: no valid row is left of {len(frame)}; skipped: {skipped}")
    if WEIGHT in table.columns and not (table[WEIGHT].cast(pl.Float32) > 0).any():
        raise DataError(
            f"{raw.label}, {WEIGHT}: all {table.height:,} weights are 0; some above 0 are expected"
        )
    narrow = pl.col(RATING, *[WEIGHT] * (WEIGHT in table.columns)).cast(pl.Float32)
    _demand_all(raw, len(table), skipped)
    return Checked(table.with_columns(narrow), skipped)


def without_nulls(frame: pl.DataFrame, null_values: tuple[str, ...]) -> pl.DataFrame:
    """A table in which texts that stand for a missing value are null."""
    if not null_values:
        return frame
    text = pl.col(pl.String)
    return frame.with_columns(pl.when(~text.is_in(null_values)).then(text))


def _demand_all(raw: RawTable, kept: int, skipped: dict[str, int]) -> None:
    """Raise `DataError` unless each row of the file, counted apart, is kept or skipped."""
    left_out = sum(skipped.values()) - sum(raw.skipped.values())
    if kept + left_out != raw.records:
        raise DataError(
            f"{raw.label}: {raw.records:,} rows were read, but {kept:,} kept and {left_out:,} "
            "skipped; this is a fault of cofilter's, and nothing is loaded"
        )


def _parsed(raw: RawTable, frame: pl.DataFrame, rules: Rules) -> dict[str, pl.Series]:
    """The columns by name: ids, numbers and times, null where a value cannot be read."""
    parsed = {name: as_read(frame[name], raw.typed) for name in (USER, ITEM)}
    if RATING in frame.columns:
        parsed[RATING] = numbers(frame[RATING], rules.decimal)
    else:
        parsed[RATING] = pl.repeat(1.0, len(frame), dtype=pl.Float32, eager=True).alias(RATING)
    if TIMESTAMP in frame.columns:
        try:
            parsed[TIMESTAMP] = parse_timestamps(frame[TIMESTAMP], rules.timestamp_format)
        except FormError as error:
            raise DataError(f"{raw.label}, {TIMESTAMP}: {error.message(raw.number)}") from None
    if WEIGHT in frame.columns:
        parsed[WEIGHT] = numbers(frame[WEIGHT], rules.decimal)
    if PART in frame.columns:
        parsed[PART] = frame[PART].cast(pl.String)
    return parsed


def _checks(parsed: dict[str, pl.Series], rules: Rules) -> list[_Check]:
    rating = parsed[RATING]
    number = rating.cast(pl.Float32).is_finite().fill_null(False)  # 1e39 is infinite there
    checks = []
    for reason, name in (("user_missing", USER), ("item_missing", ITEM)):
        checks.append(_Check(reason, name, missing(parsed[name]), lambda _: "an id is expected"))
    if "" not in rules.null_values:  # then the owner says that only an empty field is missing
        checks += [_placeholder(name, parsed[name]) for name in (USER, ITEM)]
    checks.append(
        _Check("rating_not_a_number", RATING, ~number, lambda value: _expected_rating(rules, value))
    )
    if rules.scale is not None:
        outside = ~rating.is_between(*rules.scale).fill_null(False)
        checks.append(
            _Check("rating_out_of_scale", RATING, outside, lambda _: _expected_rating(rules, None))
        )
    if TIMESTAMP in parsed:
        form = rules.timestamp_format
        unreadable = parsed[TIMESTAMP].is_null()
        checks.append(
            _Check(
                "timestamp_unreadable",
                TIMESTAMP,
                unreadable,
                lambda value: expected_timestamp(value, form),
            )
        )
    if WEIGHT in parsed:
        weight = parsed[WEIGHT].fill_null(float("nan")).to_numpy()
        wrong = pl.Series(~acceptable(weight))
        checks.append(_Check("weight_impossible", WEIGHT, wrong, lambda _: EXPECTED))
    if PART in parsed:
        unknown = ~parsed[PART].is_in(PARTS).fill_null(False)
        checks.append(_Check("part_unknown", PART, unknown, lambda _: _PART, may_skip=False))
    return checks


def _placeholder(name: str, ids: pl.Series) -> _Check:
    return _Check(
        "placeholder",
        name,
        placeholders(ids),
        lambda _: "an id is expected, not what stands for a missing value",
        may_skip=False,
        remedy="{} makes it missing, \"data.null_values=['']\" an id like others",
    )


def _expected_rating(rules: Rules, value: object) -> str:
    """What a rating should have been; ``value`` is a text that is no number, else None."""
    reason = why_no_number(value, rules.decimal) if isinstance(value, str) else None
    why = f": {reason}" if reason else ""
    form = "" if rules.decimal == "." else f' with "{rules.decimal}" (data.decimal)'
    if rules.scale is None:
        return f"a number{form} is expected{why}"
    return f"a number{form} from {rules.scale[0]:g} to {rules.scale[1]:g} is expected{why}"


def _message(raw: RawTable, check: _Check, value: object, row: int, count: int) -> str:
    shown = "no value" if value is None else f'"{str(value)[:80]}"'
    more = f" ({count:,} rows have this fault)" if count > 1 else ""
    remedy = ". data.invalid=skip leaves such rows out and counts them" if check.may_skip else ""
    if check.remedy:
        text = str(value)[:80]
        bare = text.replace("/", "").isalnum()  # a shell and Hydra take it as it is
        named = f"data.null_values=[{text}]" if bare else f"\"data.null_values=['{text}']\""
        remedy = f". {check.remedy.format(named)}"
    return f"{raw.place(row)}, {check.column}: {shown}; {check.expected(value)}{more}{remedy}"
