"""Repeated (user, item) pairs: settled within each part, dropped across parts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError
from cofilter.core.parts import PARTS
from cofilter.preparation.tables import ROW, pair_keys

Policy = Literal["error", "last", "mean", "max", "sum", "count"]
NEW_SCALES = ("sum", "count")  # their ratings are not on the source's scale
PAIR = [USER, ITEM]
_CODE = "code"  # int8, index into PARTS
_MOVED = "moved"  # float64, Σ |rating| of the part's rows of a pair
_ROUNDING = 1e-6  # of _MOVED: amounts are float32, whose own rounding is 6e-8

# Of the part's ratings of a pair, in float64.
_COMBINED = {
    "last": pl.col(RATING).last(),
    "mean": pl.col(RATING).mean(),
    "max": pl.col(RATING).max(),
    "sum": pl.col(RATING).sum(),
    "count": pl.len().cast(pl.Float64).alias(RATING),
}
_LATEST_LARGEST = (pl.col(RATING) == pl.col(RATING).max()).arg_true().last()
_WEIGHTS = {
    "last": pl.col(WEIGHT).last(),
    "max": pl.col(WEIGHT).get(_LATEST_LARGEST),
    **{policy: pl.col(WEIGHT).mean() for policy in ("mean", "sum", "count")},
}


def settle_duplicates(
    ratings: pd.DataFrame,
    table: pl.DataFrame,
    part: np.ndarray,
    policy: Policy,
    *,
    ordered: bool = True,
) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Leave each (user, item) pair in one row of one part.

    First the policy works within each part: ``error`` refuses; the others keep a pair's latest row
    in the part (by timestamp, then by row order), its time included, with this rating:

    ``last``
        its own;
    ``mean``, ``max``, ``sum``
        the mean, the largest or the sum of the part's ratings of the pair;
    ``count``
        the number of the part's rows of the pair. A pair that occurs once has 1.

    Its weight, where rows have some, is that of the row whose rating it has (``last``, and ``max``,
    of equals the latest), or the mean weight of the part's rows of the pair (``mean``, ``sum``,
    ``count``).

    Under ``sum`` numbers are amounts, and negative ones are returns: a pair whose total in the part
    is 0 or less is no interaction there and is dropped. Only what happened up to the end of a part
    is netted: a return in test of a purchase in train leaves the purchase in train, which could not
    know of it, and is no interaction of test. Without order in time there is no such bound: a pair
    whose total over all parts is 0 or less is dropped from all. Totals within a millionth of
    Σ |amount| of 0 are 0.

    Then a pair that an earlier part holds is dropped from the later ones, so that nothing moves
    across a cut. Floating ratings keep their type; integers stay integers (int64) but under
    ``mean`` (float64).

    Parameters
    ----------
    ratings:
        The rows to split.
    table:
        The same rows as `to_polars` gives them.
    part:
        int8[n], index into `PARTS` of each row.
    ordered:
        Whether later parts are later in time.

    Returns
    -------
    The rows that stay, in their order; their parts (int8); and JSON-able counts for each part:
    ``within`` (rows merged away by the policy) and ``earlier`` (rows dropped because an earlier
    part has their pair); under ``sum`` also ``returned`` (pairs dropped because of their total).

    Raises
    ------
    DataError
        Under ``error``, naming the first repeated pair, its part and its rows.
    """
    table = table.with_columns(pl.Series(_CODE, part))
    repeated = _repeated(table, or_returned=policy == "sum")
    if repeated.is_empty() and policy != "count":
        return ratings, part, {"policy": policy, **_counts(policy, *[repeated] * 4)}
    if policy == "error":
        _refuse_within(repeated)
    latest = _combined(repeated, policy)
    bought = _bought(latest, ordered) if policy == "sum" else latest
    first = bought.filter(pl.col(_CODE) == pl.col(_CODE).min().over(PAIR))
    counts = {"policy": policy, **_counts(policy, repeated, latest, bought, first)}
    if policy in ("mean", "max", "sum", "count"):
        ratings = _with_ratings(ratings, first, policy)
    stays = np.ones(len(ratings), dtype=bool)
    stays[repeated[ROW].to_numpy()] = False
    stays[first[ROW].to_numpy()] = True
    return ratings[stays].reset_index(drop=True), part[stays], counts


def refuse_repeats(table: pl.DataFrame, part: np.ndarray) -> None:
    """Refuse a (user, item) pair that is twice in a part or in two parts.

    Takes the table and the parts of `settle_duplicates`; raises `DataError` with the first such
    pair, its parts and its rows.
    """
    repeated = _repeated(table.with_columns(pl.Series(_CODE, part)))
    _refuse_within(repeated)
    pairs = repeated.group_by(PAIR, maintain_order=True).agg(_CODE, ROW)
    if pairs.is_empty():
        return
    user, item, codes, rows = pairs.row(0)
    places = ", ".join(
        f"{PARTS[code]} (row {row + 1})" for code, row in sorted(zip(codes, rows, strict=True))
    )
    raise DataError(
        f"{pairs.height} (user, item) pairs are in two parts of the split, first user {user!r}, "
        f"item {item!r} in {places} of the filtered ratings (counted from 1); "
        "split.duplicates=last keeps each in its first part, drops it from later ones and counts it"
    )


def _repeated(table: pl.DataFrame, *, or_returned: bool = False) -> pl.DataFrame:
    """Rows whose pair occurs more than once, and perhaps those of no amount, in row order."""
    keys = pair_keys(table)
    some = or_returned & (table[RATING] <= 0)
    if keys.n_unique() == len(keys):  # several times cheaper than to ask which ones repeat
        return table.filter(some)
    return table.filter(some | keys.is_duplicated())


def _combined(repeated: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """One row for each pair and part: its latest row, and the rating that the policy gives it."""
    times = [TIMESTAMP] if TIMESTAMP in repeated.columns else []
    policy = "last" if policy == "error" else policy
    rating = _COMBINED[policy]
    # Sorted groups in their order: a sum does not depend on the thread count.
    ordered = repeated.sort([*PAIR, _CODE, *times, ROW]).with_columns(
        pl.col(RATING).cast(pl.Float64)
    )
    moved = pl.col(RATING).abs().sum().alias(_MOVED)
    weights = [_WEIGHTS[policy]] if WEIGHT in repeated.columns else []
    return ordered.group_by([*PAIR, _CODE], maintain_order=True).agg(
        pl.col(ROW).last(), rating, moved, *weights
    )


def _bought(latest: pl.DataFrame, ordered: bool) -> pl.DataFrame:
    """The pairs whose total is above 0: that of the part, and without order that of the log."""

    def positive(total: pl.Expr, moved: pl.Expr) -> pl.Expr:
        return total > _ROUNDING * moved

    total, moved = pl.col(RATING), pl.col(_MOVED)
    bought = positive(total, moved)
    if not ordered:
        bought &= positive(total.sum().over(PAIR), moved.sum().over(PAIR))
    return latest.filter(bought)


def _with_ratings(ratings: pd.DataFrame, first: pl.DataFrame, policy: Policy) -> pd.DataFrame:
    values = ratings[RATING].to_numpy()
    whole = np.float64 if policy == "mean" else np.int64
    values = values.astype(values.dtype if values.dtype.kind == "f" else whole)  # a copy
    if policy == "count":
        values[:] = 1
    rows = first[ROW].to_numpy()
    values[rows] = first[RATING].to_numpy()
    if WEIGHT not in first.columns:
        return ratings.assign(**{RATING: values})
    weights = ratings[WEIGHT].to_numpy()
    weights = weights.astype(weights.dtype if weights.dtype.kind == "f" else np.float64)  # a copy
    weights[rows] = first[WEIGHT].to_numpy()
    return ratings.assign(**{RATING: values, WEIGHT: weights})


def _refuse_within(repeated: pl.DataFrame) -> None:
    groups = repeated.group_by([*PAIR, _CODE], maintain_order=True).agg(ROW)
    within = groups.filter(pl.col(ROW).list.len() > 1)
    if within.is_empty():
        return
    user, item, part, rows = within.row(0)
    numbers = ", ".join(str(row + 1) for row in rows)
    raise DataError(
        f"{within.height} (user, item) pairs occur more than once in a part, first user "
        f"{user!r}, item {item!r} in {PARTS[part]}, rows {numbers} of the filtered ratings "
        "(counted from 1); split.duplicates=last, mean, max, sum or count would settle them"
    )


def _counts(
    policy: Policy,
    repeated: pl.DataFrame,
    latest: pl.DataFrame,
    bought: pl.DataFrame,
    first: pl.DataFrame,
) -> dict[str, dict[str, int]]:
    returned = {"returned": _lost(latest, bought)} if policy == "sum" else {}
    return {"within": _lost(repeated, latest), **returned, "earlier": _lost(bought, first)}


def _lost(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    """How many rows of each part ``after`` lacks."""
    sizes = [
        np.bincount(table[_CODE].to_numpy(), minlength=len(PARTS)) for table in (before, after)
    ]
    return dict(zip(PARTS, (sizes[0] - sizes[1]).tolist(), strict=True))
