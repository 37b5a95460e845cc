"""Tables behind the charts, as ``dvc plots`` and the report read them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import FAMILY, POINT, SELECTED, column
from cofilter.scoring.folders import ModelFolder
from cofilter.scoring.scores import SCOPES

MODEL, DIM, PHASE, EPOCH, LOSS = "model", "dim", "phase", "epoch", "loss"


def comparison(table: pd.DataFrame, config: EvaluateConfig) -> pd.DataFrame:
    """The bars: model, family, selected, metric (the primary's name), its value on ``warm`` and
    ``all`` rows, and RMSE and MAE of both; in the leaderboard's order."""
    bars = table[[FAMILY, POINT, SELECTED]].assign(metric=config.primary)
    bars.insert(0, MODEL, table[FAMILY] + "/" + table[POINT])
    for scope in SCOPES:
        bars[scope] = table[column(scope, config.primary)]
    for scope in SCOPES:
        for error in ("rmse", "mae"):
            bars[column(scope, error)] = table[column(scope, error)]
    return bars.drop(columns=POINT)


def learning_curves(folders: Sequence[ModelFolder]) -> pd.DataFrame:
    """All learning curves under each other: model, family, phase, epoch, loss and what else a
    curve holds; only the header when no model has epochs."""
    head = [MODEL, FAMILY, PHASE, EPOCH, LOSS]
    curves = [
        folder.curve.assign(**{MODEL: folder.name, FAMILY: folder.family})
        for folder in folders
        if len(folder.curve)
    ]
    if not curves:
        return pd.DataFrame(columns=head)
    joined = pd.concat(curves, ignore_index=True)
    return joined[
        [name for name in head if name in joined.columns]
        + [name for name in joined.columns if name not in head]
    ]


def rmse_by_dim(table: pd.DataFrame, dims: dict[tuple[str, str], int]) -> pd.DataFrame:
    """RMSE against the length of the factors: model, family, point, dim, warm_rmse, all_rmse.

    ``model`` is the point's name without its dim, so that the points of one sweep make one line.
    ``dims`` holds the dim of each (family, point) that has one; models without RMSE are left out.
    Sorted by family, dim and the leaderboard's order; only the header when there is none.
    """
    scores = [column(scope, "rmse") for scope in SCOPES]
    pairs = list(zip(table[FAMILY], table[POINT], strict=True))
    rows = table[[FAMILY, POINT, *scores]].copy()
    rows.insert(2, DIM, pd.Series([dims.get(pair) for pair in pairs], rows.index, dtype="Int64"))
    rows = rows.dropna(subset=[DIM, column("all", "rmse")])
    series = [
        kind_of(f"{family}/{point}")
        for family, point in rows[[FAMILY, POINT]].itertuples(index=False, name=None)
    ]
    rows.insert(0, MODEL, pd.Series(series, rows.index, dtype=object))
    return rows.sort_values([FAMILY, DIM], kind="stable").reset_index(drop=True)


def kind_of(model: str) -> str:
    """``family/kind`` of a ``family/point``: the name without dim and seed, of a sweep's points
    one and the same."""
    family, _, point = model.partition("/")
    rest = [part for part in point.split("-") if not re.fullmatch(r"(dim|seed)?\d+|dimauto", part)]
    return "/".join([family, "-".join(rest)] if rest else [family])
