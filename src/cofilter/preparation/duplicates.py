"""Repeated (user, item) pairs: settled within each part, dropped across parts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import DataError
from cofilter.core.parts import PARTS
from cofilter.preparation.tables import ROW, pair_keys

Policy = Literal["error", "last", "mean", "max", "sum", "count"]
NEW_SCALES = ("sum", "count")  # their ratings are not on the source's scale
PAIR = [USER, ITEM]
_CODE = "code"  # int8, index into PARTS

# Of the part's ratings of a pair, in float64.
_COMBINED = {
    "last": pl.col(RATING).last(),
    "mean": pl.col(RATING).mean(),
    "max": pl.col(RATING).max(),
    "sum": pl.col(RATING).sum(),
    "count": pl.len().cast(pl.Float64).alias(RATING),
}


def settle_duplicates(
    ratings: pd.DataFrame, table: pl.DataFrame, part: np.ndarray, policy: Policy
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

    Returns
    -------
    The rows that stay, in their order; their parts (int8); and JSON-able counts for each part:
    ``within`` (rows merged away by the policy) and ``earlier`` (rows dropped because an earlier
    part has their pair).

    Raises
    ------
    DataError
        Under ``error``, naming the first repeated pair, its part and its rows.
    """
    table = table.with_columns(pl.Series(_CODE, part))
    repeated = _repeated(table)
    if repeated.is_empty() and policy != "count":
        return ratings, part, {"policy": policy, **_counts(repeated, repeated, repeated)}
    if policy == "error":
        _refuse_within(repeated)
    latest = _combined(repeated, policy)
    first = latest.filter(pl.col(_CODE) == pl.col(_CODE).min().over(PAIR))
    counts = {"policy": policy, **_counts(repeated, latest, first)}
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


def _repeated(table: pl.DataFrame) -> pl.DataFrame:
    """Rows whose pair occurs more than once, in row order."""
    keys = pair_keys(table)
    if keys.n_unique() == len(keys):  # several times cheaper than to ask which ones repeat
        return table.clear()
    return table.filter(keys.is_duplicated())


def _combined(repeated: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """One row for each pair and part: its latest row, and the rating that the policy gives it."""
    times = [TIMESTAMP] if TIMESTAMP in repeated.columns else []
    rating = _COMBINED["last" if policy == "error" else policy]
    # Sorted groups in their order: a sum does not depend on the thread count.
    ordered = repeated.sort([*PAIR, _CODE, *times, ROW]).with_columns(
        pl.col(RATING).cast(pl.Float64)
    )
    return ordered.group_by([*PAIR, _CODE], maintain_order=True).agg(pl.col(ROW).last(), rating)


def _with_ratings(ratings: pd.DataFrame, first: pl.DataFrame, policy: Policy) -> pd.DataFrame:
    values = ratings[RATING].to_numpy()
    whole = np.float64 if policy == "mean" else np.int64
    values = values.astype(values.dtype if values.dtype.kind == "f" else whole)  # a copy
    if policy == "count":
        values[:] = 1
    values[first[ROW].to_numpy()] = first[RATING].to_numpy()
    return ratings.assign(**{RATING: values})


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
    repeated: pl.DataFrame, latest: pl.DataFrame, first: pl.DataFrame
) -> dict[str, dict[str, int]]:
    return {"within": _lost(repeated, latest), "earlier": _lost(latest, first)}


def _lost(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    """How many rows of each part ``after`` lacks."""
    sizes = [
        np.bincount(table[_CODE].to_numpy(), minlength=len(PARTS)) for table in (before, after)
    ]
    return dict(zip(PARTS, (sizes[0] - sizes[1]).tolist(), strict=True))
