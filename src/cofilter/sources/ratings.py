"""Raw columns checked row by row and brought to cofilter's ratings table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from cofilter.core.columns import ITEM, PART, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError
from cofilter.core.parts import PARTS
from cofilter.core.weights import EXPECTED, acceptable
from cofilter.sources.table import RawTable
from cofilter.sources.timestamps import expected_timestamp, parse_timestamps

_PART = f"{', '.join(PARTS[:-1])} or {PARTS[-1]} is expected, and other names are not guessed"


@dataclass(frozen=True)
class Rules:
    """What a row must fulfil, and what happens to one that does not."""

    scale: tuple[float, float] | None
    timestamp_format: str
    skip: bool  # leave invalid rows out and count them, instead of an error


@dataclass(frozen=True)
class Checked:
    """Valid rows in the file's order; ids still as the file has them.

    ``table`` has user_id, item_id, rating (float32); timestamp (int64) if the source has times;
    weight (float32) and part (str) if the file says them. ``skipped`` counts the rows left
    out, by reason.
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


def check_ratings(raw: RawTable, rules: Rules) -> Checked:
    """Parse ratings and times, and check every row.

    Without a rating column every row counts as 1. A row with several faults counts under the
    first of: user_missing, item_missing, rating_not_a_number, rating_out_of_scale,
    timestamp_unreadable, weight_impossible (negative or not finite). A part that is not train,
    validation or test is always an error, since to skip ``valid`` would lose a whole part.

    Raises
    ------
    DataError
        A row is invalid and ``rules.skip`` is off (the first one is named), a part has an unknown
        name, no valid row is left, or all weights are 0.
    """
    frame = raw.frame
    rows = None  # rows of the file that ``frame`` holds, where not all
    if min(frame.null_count().row(0)) > 0:
        frame = frame.with_row_index("row").filter(~pl.all_horizontal(pl.exclude("row").is_null()))
        rows, frame = frame["row"], frame.drop("row")
    if frame.is_empty():
        raise DataError(f"{raw.label}: the file has no rows")
    parsed = {USER: frame[USER], ITEM: frame[ITEM], RATING: _ratings(frame)}
    if TIMESTAMP in frame.columns:
        parsed[TIMESTAMP] = parse_timestamps(frame[TIMESTAMP], rules.timestamp_format)
    if WEIGHT in frame.columns:
        parsed[WEIGHT] = frame[WEIGHT].cast(pl.Float64, strict=False)
    if PART in frame.columns:
        parsed[PART] = frame[PART].cast(pl.String)
    skipped: dict[str, int] = {}
    valid = pl.repeat(True, len(frame), eager=True)
    for check in _checks(parsed, rules):
        bad = check.bad & valid
        count = int(bad.sum())
        if count and not (rules.skip and check.may_skip):
            first = int(bad.arg_true()[0])
            line = raw.line(first if rows is None else int(rows[first]))
            raise DataError(_message(raw, check, frame[check.column][first], line, count))
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
    return Checked(table.with_columns(narrow), skipped)


def _ratings(frame: pl.DataFrame) -> pl.Series:
    if RATING not in frame.columns:
        return pl.repeat(1.0, len(frame), dtype=pl.Float32, eager=True).alias(RATING)
    return frame[RATING].cast(pl.Float64, strict=False)


def _checks(parsed: dict[str, pl.Series], rules: Rules) -> list[_Check]:
    rating = parsed[RATING]
    number = rating.is_finite().fill_null(False)
    checks = [
        _Check("user_missing", USER, _missing(parsed[USER]), lambda _: "an id is expected"),
        _Check("item_missing", ITEM, _missing(parsed[ITEM]), lambda _: "an id is expected"),
        _Check("rating_not_a_number", RATING, ~number, lambda _: _expected_rating(rules.scale)),
    ]
    if rules.scale is not None:
        low, high = rules.scale
        outside = ~rating.is_between(low, high).fill_null(False)
        checks.append(
            _Check("rating_out_of_scale", RATING, outside, lambda _: _expected_rating(rules.scale))
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


def _missing(ids: pl.Series) -> pl.Series:
    if ids.dtype == pl.String:
        return ids.is_null() | (ids.str.len_bytes() == 0).fill_null(True)
    return ids.is_null()


def _expected_rating(scale: tuple[float, float] | None) -> str:
    if scale is None:
        return "a number is expected"
    return f"a number from {scale[0]:g} to {scale[1]:g} is expected"


def _message(raw: RawTable, check: _Check, value: object, line: int, count: int) -> str:
    shown = "no value" if value is None else f'"{str(value)[:80]}"'
    more = f" ({count:,} rows have this fault)" if count > 1 else ""
    remedy = ". data.invalid=skip leaves such rows out and counts them" if check.may_skip else ""
    return (
        f"{raw.label}, row {line}, {check.column}: {shown}; {check.expected(value)}{more}{remedy}"
    )
