"""R2: biased factorization on MovieLens 20M with early stopping, as published with Keras."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import PositiveInt

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import Config
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.reproduction.lab import Figure, Findings, Lab, unclipped


class R2Config(Config):
    """The procedure's parameters.

    Attributes
    ----------
    split:
        Train and test; the latter is what training is watched and stopped on, as published.
    factors:
        The model. Keras adds λ Σ w² to the mean loss of each batch, which is a ``weight_decay``
        of 2 λ.
    top_n:
        Length of the sample recommendations.
    """

    split: SplitConfig
    factors: MFConfig
    top_n: PositiveInt


def run(config: R2Config, lab: Lab) -> Findings:
    """Data statistics, one training, and the factors as arrays for a vector index."""
    parts, _ = split_ratings(lab.ratings, config.split, None)
    model = MatrixFactorization(unclipped(config.factors))
    lab.fit(f"r2-dim{config.factors.dim}", model, parts.train, parts.test)
    curve = pd.DataFrame(model.history_)
    steps = -(-len(parts.train) // (config.factors.batch_size or len(parts.train)))
    figures = [
        Figure("train", "rows", len(parts.train)),
        Figure("test", "rows", len(parts.test)),
        *statistics(lab.ratings),
        *(Figure(f"epoch {row['epoch']}", "rmse", row["rmse"]) for row in model.history_),
        Figure("best epoch", "rmse", curve["rmse"].min(), f"epoch {model.epochs_}"),
        Figure("steps an epoch", "count", steps),
    ]
    first = model.users_.ids[0]
    tables = {
        "curves": curve[["epoch", "loss", "rmse"]],
        "recommendations": lab.recommendations(model, first, config.top_n, lab.ratings).assign(
            **{USER: first}
        ),
    }
    return Findings(figures, tables, {"model": model}, {"embeddings": embeddings(model)})


def statistics(ratings: pd.DataFrame) -> list[Figure]:
    """Ratings a user and a movie (mean, sd, least, quartiles, most), and the ratings' own mean."""
    figures = []
    for name, column in (("user", USER), ("movie", ITEM)):
        count = ratings[column].value_counts()
        quartiles = count.quantile([0.25, 0.5, 0.75])
        values = {
            "mean": count.mean(),
            "sd": count.std(),
            "min": count.min(),
            **dict(zip(("quartile 1", "median", "quartile 3"), quartiles, strict=True)),
            "max": count.max(),
        }
        what = f"ratings a {name}"
        figures += [Figure(what, metric, float(value)) for metric, value in values.items()]
    rating = ratings[RATING]
    return [
        *figures,
        Figure("ratings", "mean", float(rating.mean())),
        Figure("ratings", "sd", float(rating.std())),
    ]


def embeddings(model: MatrixFactorization) -> dict[str, np.ndarray]:
    """Factors, biases and ids of both sides, one row each, as a vector index takes them.

    With a constant 1 behind the user's vector and the bias behind the item's, inner products rank
    as the model does.
    """
    sides = {"user": (model.users_, model.user_), "item": (model.items_, model.item_)}
    arrays = {}
    for name, (ids, table) in sides.items():
        arrays[f"{name}_ids"] = ids.ids
        arrays[f"{name}_factors"] = np.ascontiguousarray(table[:, :-1])
        arrays[f"{name}_biases"] = table[:, -1].copy()
    return arrays
