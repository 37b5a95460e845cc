"""R4: a notebook's three models on ml-latest-small, nine fits in a row, and a person's list.

The published losses are those of held-out rows whose ids were numbered by themselves: factors of
other users and movies were scored. The losses under train's ids stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, product
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt, model_validator

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import Config
from cofilter.metrics.rating import rmse
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.ncf.config import RatingNetworkConfig
from cofilter.models.ncf.model import RatingNetwork
from cofilter.reproduction.lab import Figure, Findings, Lab, as_they_are, unclipped, warm
from cofilter.reproduction.neighbour import borrowed_from, most_rated

MODELS = ("dot", "biased", "network")


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
    order:
        The fits from the lowest published loss to the highest.
    train_share, seed:
        Of the mask ``np.random.rand(rows) < train_share``.
    seeds:
        Of the models; the median over them is reported, since a fit's end depends on its start.
    dot, biased, network:
        The three models, each with its schedule of fits in a row.
    """

    order: tuple[str, ...]
    train_share: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)
    seeds: tuple[int, ...] = Field(min_length=1)
    dot: MFConfig
    biased: MFConfig
    network: RatingNetworkConfig
    persons: Persons

    @model_validator(mode="after")
    def _order_has_every_fit(self) -> Self:
        fits = set()
        for name in MODELS:
            schedule = getattr(self, name).schedule
            if isinstance(schedule, str):
                raise ValueError(f"{name}.schedule: [[epochs, learning rate], …] is expected")
            fits |= {f"{name}, fit {n}" for n in range(1, len(schedule) + 1)}
        if set(self.order) != fits or len(self.order) != len(fits):
            raise ValueError(f"order: each of {sorted(fits)} once is expected")
        return self


def masked(ratings: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and the held-out rest; the draws are those of ``np.random.seed(seed)``."""
    chosen = np.random.RandomState(seed).random_sample(len(ratings)) < share
    return ratings[chosen], ratings[~chosen]


def numbered_anew(held_out: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The held-out rows as the published losses take them: under other people's and movies' ids.

    Users and movies are numbered in the order in which each table has them. The published figures
    come out when the held-out table is numbered by itself, so that its n-th movie is scored with
    the factors of train's n-th. Ids beyond train's last are dropped.
    """
    columns = {}
    for column in (USER, ITEM):
        number, _ = pd.factorize(held_out[column])
        known = pd.unique(train[column])
        columns[column] = pd.Series(known).reindex(number).to_numpy()
    return held_out.assign(**columns).dropna().astype(held_out.dtypes.to_dict())


def run(config: R4Config, lab: Lab) -> Findings:
    """MSE on the held-out rows after each fit of each model, how it is ordered, and the persons."""
    train, rest = masked(lab.ratings, config.train_share, config.seed)
    held_out = {"": numbered_anew(rest, train), ", ids of train": warm(rest, train)}
    losses = pd.DataFrame(_losses(config, lab, train, held_out))
    middle = losses.groupby("fit", sort=False)[list(held_out)].median()
    figures = [
        Figure("users in train", "count", train[USER].nunique()),
        Figure("movies in train", "count", train[ITEM].nunique()),
    ]
    for which in held_out:
        for fit, value in middle[which].items():
            each = losses.loc[losses["fit"] == fit, which]
            note = f"median; {each.min():.3f} to {each.max():.3f} over {len(each)} seeds"
            figures.append(Figure(f"{fit}{which}", "mse", value, note))
    figures.append(in_order(losses.pivot(index="seed", columns="fit", values=""), config.order))
    tables = {"losses": losses.rename(columns={"": "numbered anew"})}
    return Findings([*figures, *_persons(config, lab)], tables)


def in_order(losses: pd.DataFrame, order: Sequence[str]) -> Figure:
    """How many seeds, the rows of ``losses``, have these fits' losses in this, rising order."""
    steps = losses[list(order)].diff(axis=1).iloc[:, 1:]
    seeds = losses.index[(steps > 0).all(axis=1)]
    note = f"of {len(losses)} seeds; {', '.join(map(str, seeds)) or 'none'}"
    return Figure("all fits in the published order", "seeds", len(seeds), note)


def _losses(
    config: R4Config, lab: Lab, train: pd.DataFrame, held_out: dict[str, pd.DataFrame]
) -> Iterator[dict[str, Any]]:
    """MSE on each held-out table after each fit, a row a seed and fit."""
    for name, seed in product(MODELS, config.seeds):
        chosen = unclipped(getattr(config, name)).model_copy(update={"seed": seed})
        model = RatingNetwork if name == "network" else MatrixFactorization
        for n, end in enumerate(accumulate(epochs for epochs, _ in chosen.schedule), 1):
            # The next fit goes on from this one's checkpoint.
            fitted = lab.fit("", model(chosen.model_copy(update={"epochs": end})), train)
            row: dict[str, Any] = {"fit": f"{name}, fit {n}", "seed": seed}
            for which, rows in held_out.items():
                error = rows[RATING] - fitted.predict(rows[USER], rows[ITEM])
                row[which] = float((error**2).mean())
            yield row


def _persons(config: R4Config, lab: Lab) -> list[Figure]:
    """RMSE of a person's other ratings: predicted as the most similar user's, and folded in.

    One and the same model, the biased one, fitted on the other users alone.
    """
    persons_setup = config.persons
    users = np.unique(lab.ratings[USER])
    rng = np.random.default_rng(persons_setup.seed)
    taken = rng.choice(users, max(1, round(persons_setup.share * len(users))), replace=False)
    persons = lab.ratings[USER].isin(taken)
    others = lab.ratings[~persons]
    chosen = as_they_are(config.biased).model_copy(update={"scale": lab.scale})
    model = MatrixFactorization(chosen)
    lab.fit("r4-persons", model, others)
    shown = lab.ratings[persons & lab.ratings[ITEM].isin(most_rated(others, persons_setup.movies))]
    enough = shown[USER].value_counts() >= persons_setup.at_least
    shown = shown[shown[USER].isin(enough.index[enough])]
    rest = lab.ratings[persons & lab.ratings[USER].isin(shown[USER])].drop(shown.index)
    hidden = rest[rest[ITEM].isin(others[ITEM])]
    if hidden.empty:
        return [Figure(what, "rmse", None, "no person has rated enough") for what in _WAYS]
    voted = {
        person: borrowed_from(own, others, persons_setup.within)
        for person, own in shown.groupby(USER)
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
