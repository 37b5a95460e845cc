"""R3, explicit feedback: SVD and SVD++ over a full grid, by three-fold cross-validation."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd
from pydantic import PositiveFloat, PositiveInt

from cofilter.core.config import Config
from cofilter.evaluation.folds import METHOD, cross_validate, summary
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.mf.svdpp import SVDPlusPlus
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.reproduction.lab import Figure, Findings, Lab, as_they_are

MODELS: dict[str, type[Recommender]] = {"SVD": MatrixFactorization, "SVD++": SVDPlusPlus}


class R3GridConfig(Config):
    """The procedure's parameters: every combination is fitted on every fold.

    Attributes
    ----------
    split:
        Of kind ``kfold``.
    svd, svdpp:
        Of all fits; the grid sets dim, epochs, lr and l2.
    """

    split: SplitConfig
    svd: MFConfig
    svdpp: MFConfig
    factors: tuple[PositiveInt, ...]
    epochs: tuple[PositiveInt, ...]
    lr: tuple[PositiveFloat, ...]
    regularization: tuple[PositiveFloat, ...]


def run(config: R3GridConfig, lab: Lab) -> Findings:
    """Mean RMSE over the folds of each point, and the best point of each model."""

    def fit(model: Recommender, train: pd.DataFrame, rest: pd.DataFrame) -> Recommender:
        return lab.fit("", model, train)  # far too many for a run each

    results = cross_validate(lab.ratings, config.split, _points(config), fit)
    table = summary(results)
    mean, sd = (
        dict(zip(table[METHOD], table[error], strict=True)) for error in ("rmse", "rmse_sd")
    )
    figures = []
    for model in MODELS:
        own = {name: value for name, value in mean.items() if name.startswith(f"{model}, ")}
        best = min(own, key=lambda name: own[name])
        figures.append(Figure(f"{model}, best of the grid", "rmse", own[best], best))
    for name in _points(config):
        figures.append(Figure(name, "rmse", mean[name], f"± {sd[name]:.4f} over the folds"))
    return Findings(figures, {"folds": results})


def _points(config: R3GridConfig) -> dict[str, partial[Recommender]]:
    """What makes the unfitted model of each point, by its name."""
    points: dict[str, partial[Recommender]] = {}
    for model, own in zip(MODELS, (config.svd, config.svdpp), strict=True):
        axes = config.factors, config.lr, config.regularization, sorted(config.epochs)
        # Epochs last and ascending: a longer run goes on from the checkpoint of the shorter one.
        for dim, lr, l2, epochs in product(*axes):
            name = f"{model}, factors {dim}, lr {lr:g}, reg {l2:g}, epochs {epochs}"
            chosen = {"dim": dim, "lr": lr, "l2": l2, "epochs": epochs}
            points[name] = partial(MODELS[model], as_they_are(own).model_copy(update=chosen))
    return points
