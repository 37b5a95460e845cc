"""For whom and on what a model is good: errors and recall by users' activity and items'
popularity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, USER
from cofilter.core.matrix import UNKNOWN, IdMap
from cofilter.evaluation.config import EvaluateConfig
from cofilter.scoring.scores import Scores
from cofilter.scoring.target import Target

ACTIVITY, POPULARITY = "activity", "popularity"
COLUMNS = ("model", "family", "by", "band", "order", "rows", "rmse", "users", "recall")


@dataclass(frozen=True)
class Bands:
    """Bands of the target's users and items by their ratings in train; made once.

    Cut points are quantiles of the counts of the distinct warm users (items) of the target, so
    that each band holds about as many of them. Equal counts share a band, so that there may be
    fewer bands than asked for. Users and items without a rating in train are the band "0".

    Attributes
    ----------
    user:
        int64[users], band of each of the target's users.
    row_item:
        int64[rows], band of each target row's item.
    item:
        int64[items], band of each item of train.
    user_labels, item_labels:
        Smallest and largest count of each band, such as "21–50".
    """

    user: np.ndarray
    row_item: np.ndarray
    item: np.ndarray
    user_labels: list[str]
    item_labels: list[str]

    @classmethod
    def of(cls, train: pd.DataFrame, target: Target, n: int) -> Bands:
        """``n`` bands each, of the train part that ``target`` was indexed against."""
        activity, popularity = (
            _counts(train[USER], target.users),
            _counts(train[ITEM], target.items),
        )
        cold = target.item == UNKNOWN
        met = np.unique(target.item[~cold])
        user, user_labels = _cut(activity, activity[activity > 0], n)
        in_rows = np.where(cold, 0, np.append(popularity, 0)[target.item])
        both, item_labels = _cut(np.concatenate([popularity, in_rows]), popularity[met], n)
        item, row_item = both[: len(popularity)], both[len(popularity) :]
        return cls(user, row_item, item, user_labels, item_labels)


def band_scores(
    scores: Scores, target: Target, bands: Bands, config: EvaluateConfig
) -> pd.DataFrame:
    """One model's rows of ``bands.csv`` without its name; all rows, cold ones included.

    Columns: by (activity | popularity), band, order, rows, rmse (pooled over the band's rows;
    missing when the model predicts no ratings), users, recall. Recall is at
    `EvaluateConfig.list_length`: by activity the mean recall of the band's users who have a
    relevant item; by popularity the mean over users of the share found of their relevant items
    *in the band*, over the users who have any. Every band of the target is there, with 0 rows
    and missing figures where nothing falls into it.
    """
    k = config.list_length
    relevant = target.relevant
    by_user = _recall_cells(scores, target, bands.user[target.user[relevant]], None, bands, k)
    by_item = _recall_cells(scores, target, bands.row_item[relevant], bands.item, bands, k)
    tables = [
        _table(ACTIVITY, bands.user_labels, bands.user[target.user], scores, target, by_user),
        _table(POPULARITY, bands.item_labels, bands.row_item, scores, target, by_item),
    ]
    return pd.concat(tables, ignore_index=True)


def _recall_cells(
    scores: Scores,
    target: Target,
    band_of_relevant: np.ndarray,
    item_band: np.ndarray | None,
    bands: Bands,
    k: int,
) -> dict[int, tuple[int, float]] | None:
    """Users and mean recall of each band that has any; None when the model does not rank.

    A cell is a user and a band: what it has relevant, and what of it is found.
    """
    lists = scores.lists
    if lists is None:
        return None
    n_bands = 1 + max(len(bands.user_labels), len(bands.item_labels))
    user = target.user[target.relevant].astype(np.int64)
    cells = len(target.users) * n_bands
    wanted = np.bincount(user * n_bands + band_of_relevant, minlength=cells)
    row, rank = np.nonzero(lists.hits[:, :k])
    hit_user = lists.user[row]
    hit_band = bands.user[hit_user] if item_band is None else item_band[lists.item[row, rank]]
    found = np.bincount(hit_user * n_bands + hit_band, minlength=cells)
    some = np.flatnonzero(wanted)
    recall, band = found[some] / wanted[some], some % n_bands
    users, total = np.bincount(band), np.bincount(band, recall)
    return {at: (int(users[at]), total[at] / users[at]) for at in np.flatnonzero(users).tolist()}


def _table(
    by: str,
    labels: list[str],
    band: np.ndarray,
    scores: Scores,
    target: Target,
    recall: dict[int, tuple[int, float]] | None,
) -> pd.DataFrame:
    rows = np.bincount(band, minlength=len(labels))
    error = np.zeros(len(band))
    if scores.predicted is not None:
        error = target.rating.astype(np.float64) - scores.predicted
    squared = np.bincount(band, error**2, len(labels))
    lines: list[dict[str, Any]] = []
    for order, label in enumerate(labels):
        users, mean = (recall or {}).get(order, (0, None))
        known = scores.predicted is not None and rows[order]
        rmse = float(np.sqrt(squared[order] / rows[order])) if known else None
        lines.append(
            {
                "by": by,
                "band": label,
                "order": order,
                "rows": int(rows[order]),
                "rmse": rmse,
                "users": None if recall is None else users,
                "recall": mean,
            }
        )
    types = {"rmse": "float64", "recall": "float64", "users": "Int64"}
    names = [name for name in COLUMNS if name not in ("model", "family")]
    return pd.DataFrame(lines, columns=names).astype(types)


def _counts(ids: pd.Series, known: IdMap) -> np.ndarray:
    index = known.index(ids)
    return np.bincount(index[index != UNKNOWN], minlength=len(known))


def _cut(counts: np.ndarray, warm: np.ndarray, n: int) -> tuple[np.ndarray, list[str]]:
    """Bands int64 of counts, and labels; band 0 is always that of count 0."""
    if not len(warm):
        return np.zeros(len(counts), np.int64), ["0"]
    inner = np.quantile(warm, np.arange(1, n) / n, method="inverted_cdf")
    last = np.unique(np.append(inner, warm.max()))  # the largest count of each band
    band = np.searchsorted(last, np.minimum(counts, last[-1])) + 1
    first = [int(warm[warm > below].min()) for below in np.append(0, last[:-1])]
    labels = [str(a) if a == b else f"{a}–{b}" for a, b in zip(first, last.tolist(), strict=True)]
    return np.where(counts == 0, 0, band), ["0", *labels]
