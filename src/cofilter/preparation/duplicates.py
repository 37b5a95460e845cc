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

Policy = Literal["error", "last", "mean"]
PAIR = [USER, ITEM]
PART = "part"


def settle_duplicates(
    ratings: pd.DataFrame, table: pl.DataFrame, part: np.ndarray, policy: Policy
) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Leave each (user, item) pair in one row of one part.

    First the policy works within each part: ``error`` refuses, ``last`` keeps the latest row (by
    timestamp, then by row order), ``mean`` keeps that row with the mean of the part's ratings of
    the pair. Then a pair that an earlier part holds is dropped from the later ones, so that
    nothing moves across a cut.

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
    table = table.with_columns(pl.Series(PART, part))
    repeated = _repeated(table)
    if repeated.is_empty():
        return ratings, part, {"policy": policy, **_counts(repeated, repeated, repeated)}
    if policy == "error":
        _refuse(repeated)
    latest = _latest_within(repeated)
    first = latest.filter(pl.col(PART) == pl.col(PART).min().over(PAIR))
    stays = np.ones(len(ratings), dtype=bool)
    stays[repeated[ROW].to_numpy()] = False
    stays[first[ROW].to_numpy()] = True
    if policy == "mean":
        ratings = _with_means(ratings, first)
    counts = {"policy": policy, **_counts(repeated, latest, first)}
    return ratings[stays].reset_index(drop=True), part[stays], counts


def _repeated(table: pl.DataFrame) -> pl.DataFrame:
    """Rows whose pair occurs more than once, in row order."""
    keys = pair_keys(table)
    if keys.n_unique() == len(keys):  # several times cheaper than to ask which ones repeat
        return table.clear()
    return table.filter(keys.is_duplicated())


def _latest_within(repeated: pl.DataFrame) -> pl.DataFrame:
    """One row for each pair and part: its latest row, and the mean rating of all its rows."""
    times = [TIMESTAMP] if TIMESTAMP in repeated.columns else []
    # Sorted groups in their order: the sums inside a mean do not depend on the thread count.
    ordered = repeated.sort([*PAIR, PART, *times, ROW])
    return ordered.group_by([*PAIR, PART], maintain_order=True).agg(
        pl.col(ROW).last(), pl.col(RATING).cast(pl.Float64).mean()
    )


def _with_means(ratings: pd.DataFrame, first: pl.DataFrame) -> pd.DataFrame:
    values = ratings[RATING].to_numpy()
    floating = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    means = values.astype(floating)  # a copy
    means[first[ROW].to_numpy()] = first[RATING].to_numpy()
    return ratings.assign(**{RATING: means})


def _refuse(repeated: pl.DataFrame) -> None:
    groups = repeated.group_by([*PAIR, PART], maintain_order=True).agg(ROW)
    within = groups.filter(pl.col(ROW).list.len() > 1)
    if within.is_empty():
        return
    user, item, part, rows = within.row(0)
    numbers = ", ".join(str(row + 1) for row in rows)
    raise DataError(
        f"{within.height} (user, item) pairs occur more than once in a part, first user "
        f"{user!r}, item {item!r} in {PARTS[part]}, rows {numbers} of the filtered ratings "
        "(counted from 1); split.duplicates=last or mean would settle them"
    )


def _counts(
    repeated: pl.DataFrame, latest: pl.DataFrame, first: pl.DataFrame
) -> dict[str, dict[str, int]]:
    return {"within": _lost(repeated, latest), "earlier": _lost(latest, first)}


def _lost(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    """How many rows of each part ``after`` lacks."""
    sizes = [np.bincount(table[PART].to_numpy(), minlength=len(PARTS)) for table in (before, after)]
    return dict(zip(PARTS, (sizes[0] - sizes[1]).tolist(), strict=True))
