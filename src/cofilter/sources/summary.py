"""What a source holds, in a few figures, and what looks wrong in it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, TITLE, USER
from cofilter.sources.ids import PLACEHOLDERS

_FIRST_YEAR = 1990  # nobody rated anything online before
_LARGE_USER = 0.05  # share of all rows from which on one user is no person, with
_ENOUGH_USERS = 20  # at least so many users
_FEW_TITLES = 0.5  # share of items with titles below which something does not match
_FREQUENT = 5  # values named
_DAY = 86_400
_UNSEEN = "[\u00ad\u200b-\u200f\u2060\ufeff]|\\p{Cc}"  # joiners, marks and control characters
_EXPONENT = r"^[-+]?[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+$"


def summary(ratings: pd.DataFrame, items: pd.DataFrame, user: np.ndarray) -> dict[str, Any]:
    """Figures of a source's two tables.

    Parameters
    ----------
    user:
        int[rows], a number from 0 up for each row's user.

    Returns
    -------
    time_span (two dates, or null), rating (lowest, quartiles, highest and the most frequent values
    with their share of rows), zeros, negatives, largest_user (rows and share), titled_items.
    """
    counts = np.bincount(user)
    return {
        "time_span": [_date(at) for at in _span(ratings)] if TIMESTAMP in ratings else None,
        **_distribution(pl.Series("rating", ratings[RATING].to_numpy())),
        "largest_user": {
            "rows": int(counts.max()),
            "share": round(float(counts.max()) / len(ratings), 4),
        },
        "titled_items": int((_rated(ratings, items)[TITLE] != "").sum()),
    }


def _distribution(rating: pl.Series) -> dict[str, Any]:
    counts = rating.value_counts().sort("rating")
    values, n = counts["rating"].to_numpy(), counts["count"].to_numpy()
    quartiles = np.searchsorted(np.cumsum(n), np.array([0.25, 0.5, 0.75]) * len(rating))
    frequent = np.argsort(-n.astype(np.int64), kind="stable")[:_FREQUENT]
    return {
        "rating": {
            "lowest": _number(values[0]),
            "quartiles": [_number(value) for value in values[quartiles]],
            "highest": _number(values[-1]),
            "most_frequent": [
                [_number(values[at]), round(int(n[at]) / len(rating), 4)] for at in frequent
            ],
        },
        "zeros": int(n[values == 0].sum()),
        "negatives": int(n[values < 0].sum()),
    }


def warnings(
    ratings: pd.DataFrame,
    items: pd.DataFrame,
    user: np.ndarray,
    scale: tuple[float, float] | None,
    titles_given: bool,
) -> list[str]:
    """One line for each thing in a source that is possible but looks like a mistake."""
    found = [*_of_times(ratings), *_of_users(ratings, user), *_of_ids(ratings)]
    if scale is None:
        found += _of_zeros(ratings)
    if titles_given:
        found += _of_titles(_rated(ratings, items), items)
    return found


def lines(report: Mapping[str, Any]) -> list[str]:
    """The figures of a source's report, one aligned line each."""
    facts, rating = report["summary"], report["summary"]["rating"]
    skipped = [f"{count:,} {reason}" for reason, count in report["skipped"].items() if count]
    largest = facts["largest_user"]
    frequent = ", ".join(f"{value:g} ({share:.1%})" for value, share in rating["most_frequent"])
    rows = {
        "rows": f"{report['rows']:,}",
        "skipped": ", ".join(skipped) or "none",
        "users": f"{report['users']:,}; the largest has {largest['rows']:,} rows "
        f"({largest['share']:.1%})",
        "items": f"{report['items']:,}; {facts['titled_items']:,} of them have titles "
        f"({facts['titled_items'] / report['items']:.1%})",
        "time": " to ".join(facts["time_span"]) if facts["time_span"] else "none",
        "rating": f"{rating['lowest']:g} to {rating['highest']:g}; quartiles "
        f"{', '.join(f'{value:g}' for value in rating['quartiles'])}",
        "most frequent": frequent,
        "zeros": f"{facts['zeros']:,}; below 0: {facts['negatives']:,}",
        "repeated pairs": f"{report['duplicate_pairs']:,}",
    }
    return [f"{name:<15} {value}" for name, value in rows.items()]


def _of_times(ratings: pd.DataFrame) -> Iterator[str]:
    if TIMESTAMP not in ratings:
        return
    last = datetime.datetime.now(datetime.UTC).year + 1
    first = _seconds(_FIRST_YEAR)
    times = ratings[TIMESTAMP].to_numpy()
    outside = (times < first) | (times >= _seconds(last + 1))
    if count := int(outside.sum()):
        yield (
            f"{count:,} of {len(times):,} times are outside {_FIRST_YEAR} to {last}, such as "
            f"{_date(times[int(outside.argmax())])}; data.timestamp_format says what they are"
        )


def _of_users(ratings: pd.DataFrame, user: np.ndarray) -> Iterator[str]:
    counts = np.bincount(user)
    largest = int(counts.argmax())
    if len(counts) >= _ENOUGH_USERS and counts[largest] > _LARGE_USER * len(ratings):
        name = ratings[USER].iloc[int((user == largest).argmax())]
        yield (
            f'one user, "{_shown(name)}", has {counts[largest]:,} of {len(ratings):,} rows '
            f"({counts[largest] / len(ratings):.0%}); an id for many people, such as guests, is "
            "named in data.null_values"
        )


def _of_ids(ratings: pd.DataFrame) -> Iterator[str]:
    for name in (USER, ITEM):
        if pd.api.types.is_numeric_dtype(ratings[name]):
            continue
        ids = pl.Series(ratings[name]).unique(maintain_order=True)
        spelt = ids.filter(ids.is_in(PLACEHOLDERS) | (ids.str.strip_chars() == ""))
        if len(spelt):
            yield (
                f'{len(spelt):,} {name} such as "{_shown(spelt[0])}" spell a missing value; '
                "data.null_values makes them missing"
            )
        spaced = ids.filter(ids != ids.str.strip_chars())
        if len(spaced):
            yield (
                f"{len(spaced):,} of {len(ids):,} {name} have blanks around them, such as "
                f'"{_shown(spaced[0])}"; they belong to the id'
            )
        yield from _of_spellings(name, ids)
        floats = ids.filter(ids.str.contains(r"^-?[0-9]+\.0$"))
        if len(floats):
            yield (
                f"{len(floats):,} of {len(ids):,} {name} are whole numbers written as floats, such "
                f'as "{_shown(floats[0])}"; they are kept as this text, and it is not '
                f'"{_shown(floats[0].removesuffix(".0"))}"'
            )


def _of_spellings(name: str, ids: pl.Series) -> Iterator[str]:
    """Ids that a person would take for another one's, or that a program has spoilt."""
    unseen = ids.filter(ids.str.contains(_UNSEEN))
    if len(unseen):
        yield (
            f"{len(unseen):,} of {len(ids):,} {name} have letters that are not seen, such as "
            f'"{_shown(unseen[0])}"; they belong to the id'
        )
    rounded = ids.filter(ids.str.contains(_EXPONENT))
    if len(rounded):
        yield (
            f"{len(rounded):,} of {len(ids):,} {name} are written with an exponent, such as "
            f'"{_shown(rounded[0])}", and may be rounded so that several are one; write them as '
            "whole numbers (in a spreadsheet: format the column as text)"
        )
    alike = ids.str.to_lowercase()
    twice = ids.filter(alike.is_duplicated())
    if len(twice):
        yield (
            f"{len(twice):,} of {len(ids):,} {name} differ from another in capital letters alone, "
            f'such as "{_shown(twice[0])}"; they are kept apart'
        )


def _of_zeros(ratings: pd.DataFrame) -> Iterator[str]:
    rating = ratings[RATING].to_numpy()
    zeros = int((rating == 0).sum())
    if not zeros or zeros == len(rating):
        return
    low, high = float(rating[rating != 0].min()), float(rating.max())
    if low == high >= 1:
        yield (
            f"{zeros:,} of {len(rating):,} ratings are 0 and all others {high:g}; if 0 says that "
            f"nothing happened, filter.min_rating={high:g} leaves them out"
        )
    elif low >= 1:
        yield (
            f"{zeros:,} of {len(rating):,} ratings are 0, below the others' scale of {low:g} to "
            f'{high:g}; if 0 means "not rated", data.scale=[{low:g},{high:g}] data.invalid=skip '
            "leaves them out (with the scale's own ends), and a data.scale from 0 keeps them"
        )


def _of_titles(rated: pd.DataFrame, items: pd.DataFrame) -> Iterator[str]:
    titled = int((rated[TITLE] != "").sum())
    if titled >= _FEW_TITLES * len(rated):
        return
    line = f"{titled:,} of {len(rated):,} items have titles"
    without = pl.Series(
        rated.loc[rated[TITLE] == "", ITEM].astype(str).to_numpy(object), dtype=pl.String
    )
    described = items.loc[items[TITLE] != "", ITEM].astype(str).to_numpy(object)
    there = pl.Series(described, dtype=pl.String)
    near = pl.DataFrame({"key": _alike(without), "rated": without}).join(
        pl.DataFrame({"key": _alike(there), "described": there}), on="key", maintain_order="left"
    )
    if len(near):
        one, other = near["rated"][0], near["described"][0]
        line += f'; "{_shown(other)}" in the titles is not "{_shown(one)}" in the ratings'
        line += f" ({near['rated'].n_unique():,} such items)"
    elif len(without) and len(there):
        line += f'; the ratings have items such as "{_shown(without[0])}", the titles such as '
        line += f'"{_shown(there[0])}" (data.items.columns.item)'
    yield line


def _alike(ids: pl.Series) -> pl.Series:
    """Ids without what programs add or lose: blanks, case, a final ``.0`` and leading zeros."""
    bare = ids.str.strip_chars().str.to_lowercase().str.strip_suffix(".0")
    return bare.str.strip_chars_start("0")


def _rated(ratings: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    return items[items[ITEM].isin(ratings[ITEM].unique())]


def _span(ratings: pd.DataFrame) -> tuple[int, int]:
    times = ratings[TIMESTAMP].to_numpy()
    return int(times.min()), int(times.max())


def _seconds(year: int) -> int:
    return int(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp())


def _date(seconds: int) -> str:
    """``YYYY-MM-DD``, of any year that NumPy holds."""
    return str(np.datetime64(int(seconds) // _DAY, "D"))


def _number(value: Any) -> float:
    """The shortest float64 that is the same float32: 0.1, not 0.10000000149."""
    return float(str(np.float32(value)))


def _shown(value: Any) -> str:
    """A value in one line, with letters that are not seen by their codes."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(value)[:80])
