"""R5: factorization from first principles, by full-batch gradient descent on both sides at once."""

from __future__ import annotations

import pandas as pd
from pydantic import PositiveInt

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import Config
from cofilter.metrics.rating import rmse
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.reproduction.lab import Figure, Findings, Lab, unclipped


class R5Config(Config):
    """The procedure's parameters.

    Attributes
    ----------
    factors:
        The model with its λ (``l2``); it is fitted once more without.
    top_n:
        Length of the sample recommendations.
    """

    factors: MFConfig
    top_n: PositiveInt


def run(config: R5Config, lab: Lab) -> Findings:
    """J by epoch with and without λ, and the RMSE on the very ratings that were fitted.

    J = ½ Σ (r − m_i − p·q)² + λ/2 (Σ |p|² + Σ |q|²), before each epoch's step.
    """
    figures: list[Figure] = []
    curves, models = [], {}
    for name, l2 in (("regularized", config.factors.l2), ("not regularized", 0.0)):
        model = MatrixFactorization(unclipped(config.factors.model_copy(update={"l2": l2})))
        models[name] = lab.fit(f"r5-{name.replace(' ', '-')}", model, lab.ratings)
        cost = pd.DataFrame(model.history_)["loss"] * len(lab.ratings)  # its loss is J / ratings
        curves.append(pd.DataFrame({"fit": name, "epoch": cost.index + 1, "cost": cost}))
        predicted = model.predict(lab.ratings[USER], lab.ratings[ITEM])
        fitted = rmse(lab.ratings[RATING].to_numpy(), predicted)
        figures += [
            Figure(f"{name}, first epoch", "cost", float(cost.iloc[0])),
            Figure(f"{name}, last epoch", "cost", float(cost.iloc[-1])),
            Figure(f"{name}, ratings it was fitted on", "rmse", fitted),
        ]
    first = model.users_.ids[0]
    best = lab.recommendations(models["regularized"], first, config.top_n, lab.ratings)
    tables = {"curves": pd.concat(curves), "recommendations": best.assign(**{USER: first})}
    return Findings(figures, tables)
