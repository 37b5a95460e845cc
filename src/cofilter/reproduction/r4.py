"""R4: a notebook's three models on ml-latest-small, nine fits in a row, and a person's list."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt

from cofilter.columns import ITEM, RATING, USER
from cofilter.config import Config
from cofilter.metrics.rating import rmse
from cofilter.models.iterative import IterativeRecommender
from cofilter.models.mf import MatrixFactorization, MFConfig
from cofilter.models.ncf import RatingNetwork, RatingNetworkConfig
from cofilter.reproduction.lab import Figure, Findings, Lab, unclipped, warm
from cofilter.reproduction.person import borrowed_from, most_rated


class Persons(Config):
    """How a person's predictions are judged: on users taken out of the table.

    Attributes
    ----------
    share, seed:
        Which users are taken for persons.
    movies, at_least:
        A person's history is what they rated of so many most rated movies; with fewer ratings
        there than ``at_least`` they are left out.
    within:
        A user votes for a rating that differs from the person's by at most this.
    """

    share: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)
    movies: PositiveInt
    at_least: PositiveInt
    within: float = Field(ge=0)


class R4Config(Config):
    """The procedure's parameters.

    Attributes
    ----------
    train_share, seed:
        Of the mask ``np.random.rand(rows) < train_share``.
    dot, biased, network:
        The three models, each with its schedule of fits in a row.
    """

    train_share: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)
    dot: MFConfig
    biased: MFConfig
    network: RatingNetworkConfig
    persons: Persons


def masked(ratings: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train, and those of the other rows whose user and movie are in train.

    The draws are those of ``np.random.seed(seed)``; the same rows need the same row order.
    """
    chosen = np.random.RandomState(seed).random_sample(len(ratings)) < share
    train = ratings[chosen]
    return train, warm(ratings[~chosen], train)


def run(config: R4Config, lab: Lab) -> Findings:
    """MSE on the held-out rows after each fit of each model, ranks, and the persons."""
    train, held_out = masked(lab.ratings, config.train_share, config.seed)
    figures = [
        Figure("users in train", "count", train[USER].nunique()),
        Figure("movies in train", "count", train[ITEM].nunique()),
    ]
    models: dict[str, IterativeRecommender] = {
        "dot": MatrixFactorization(unclipped(config.dot)),
        "biased": MatrixFactorization(unclipped(config.biased)),
        "network": RatingNetwork(unclipped(config.network)),
    }
    losses: dict[str, float] = {}
    curves = []
    for name, model in models.items():
        lab.fit(f"r4-{name}", model, train, held_out)
        history = pd.DataFrame(model.history_).assign(model=name)
        history["mse"] = history["rmse"] ** 2
        schedule = model.config.schedule  # type: ignore[attr-defined]
        ends = accumulate(epochs for epochs, _ in schedule)
        losses |= {f"{name}, fit {n}": history["mse"][end - 1] for n, end in enumerate(ends, 1)}
        curves.append(history[["model", "epoch", "loss", "mse"]])
    order = sorted(losses, key=lambda what: losses[what])
    for what, value in losses.items():
        figures.append(Figure(what, "mse", float(value)))
        figures.append(Figure(what, "rank", order.index(what) + 1))
    return Findings([*figures, *_persons(config, lab)], {"curves": pd.concat(curves)})


def _persons(config: R4Config, lab: Lab) -> list[Figure]:
    """RMSE of a person's other ratings: predicted as the most similar user's, and folded in.

    One and the same model, the biased one, fitted on the other users alone.
    """
    asked = config.persons
    users = np.unique(lab.ratings[USER])
    rng = np.random.default_rng(asked.seed)
    taken = rng.choice(users, max(1, round(asked.share * len(users))), replace=False)
    persons = lab.ratings[USER].isin(taken)
    others = lab.ratings[~persons]
    model = MatrixFactorization(config.biased.model_copy(update={"scale": lab.scale}))
    lab.fit("r4-persons", model, others)
    shown = lab.ratings[persons & lab.ratings[ITEM].isin(most_rated(others, asked.movies))]
    enough = shown[USER].value_counts() >= asked.at_least
    shown = shown[shown[USER].isin(enough.index[enough])]
    rest = lab.ratings[persons & lab.ratings[USER].isin(shown[USER])].drop(shown.index)
    hidden = rest[rest[ITEM].isin(others[ITEM])]
    if hidden.empty:
        return [Figure(what, "rmse", None, "no person has rated enough") for what in _WAYS]
    voted = {
        person: borrowed_from(own, others, asked.within) for person, own in shown.groupby(USER)
    }
    truth = hidden[RATING].to_numpy()
    borrowed = model.predict(hidden[USER].map(voted), hidden[ITEM])
    people = model.fold_in(shown)
    folded = model.predict(people.take(hidden[USER]), hidden[ITEM])
    note = f"{len(hidden)} ratings of {len(voted)} persons"
    return [
        Figure(what, "rmse", rmse(truth, predicted), note)
        for what, predicted in zip(_WAYS, (borrowed, folded), strict=True)
    ]


_WAYS = ("a person, the most similar user's predictions", "a person, folded in")
