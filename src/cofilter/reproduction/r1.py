"""R1: neighbours against a dot product of embeddings on MovieLens 20M, as published.

The published comparison takes similarities and neighbours' ratings from the whole table, test rows
included, so that each test row is among its own neighbours with similarity 1. Here that figure
stands beside the one of a model that has seen train alone.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import product

import pandas as pd
from pydantic import PositiveInt

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import Config
from cofilter.evaluation.leak import with_leak
from cofilter.metrics.rating import rmse
from cofilter.models.knn.config import KNNConfig
from cofilter.models.knn.model import KINDS
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.preparation.filter import FilterConfig, filter_ratings
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.reproduction.lab import (
    Figure,
    Findings,
    Lab,
    answered_rmse,
    as_they_are,
    unclipped,
    warm,
)

LEAKING, HONEST = "test rows in the table", "train alone"


class Comparison(Config):
    """The comparison of the three methods on a small table.

    Attributes
    ----------
    filter:
        What makes the table small, and the pairs forced in.
    neighbours:
        Of the user- and the item-based method.
    factors:
        Of the model-based one; the best epoch on the test rows is kept, as published.
    test_rows, test_seed:
        How many test rows are predicted, and the seed that draws them.
    top_n:
        Length of the sample recommendations.
    """

    filter: FilterConfig
    neighbours: KNNConfig
    factors: MFConfig
    test_rows: PositiveInt
    test_seed: int
    top_n: PositiveInt


class R1Config(Config):
    """The procedure's parameters.

    Attributes
    ----------
    split:
        Train and test; the latter is also what training is watched on.
    factors:
        Of the model-based part; ``dims`` and ``chunks`` set its dim and batch size.
    chunks:
        Batches an epoch.
    validate_every:
        Epochs between two published validations.
    sample:
        [user, item] of the sample prediction.
    """

    split: SplitConfig
    dims: tuple[PositiveInt, ...]
    factors: MFConfig
    chunks: PositiveInt
    validate_every: PositiveInt
    sample: tuple[int | str, int | str]
    comparison: Comparison


def run(config: R1Config, lab: Lab) -> Findings:
    """Both parts: the dims one by one on the whole table, then the comparison on the small one."""
    size = [Figure("ratings", "rows", len(lab.ratings))]
    size += [Figure(f"{name}s", "count", lab.ratings[f"{name}_id"].nunique()) for name in _SIDES]
    trained, curves = _model_based(config, lab)
    compared, recommended = _comparison(config, lab)
    tables = {"curves": curves, "recommendations": recommended}
    return Findings([*size, *trained, *compared], tables)


_SIDES = ("user", "item")


def _model_based(config: R1Config, lab: Lab) -> tuple[list[Figure], pd.DataFrame]:
    parts, _ = split_ratings(lab.ratings, config.split, None)
    figures, curves = [], []
    for dim in config.dims:
        batch = math.ceil(len(parts.train) / config.chunks)
        chosen = config.factors.model_copy(update={"dim": dim, "batch_size": batch})
        model = MatrixFactorization(unclipped(chosen))
        lab.fit(f"r1-dim{dim}-chunks{config.chunks}", model, parts.train, parts.test)
        history = pd.DataFrame(model.history_)
        validated = history[history["epoch"] % config.validate_every == 0]
        curves.append(validated.assign(dim=dim))
        what, best = f"dot, dim {dim}", validated.sort_values("rmse", kind="stable").iloc[0]
        figures += [
            Figure(f"{what}, last epoch", "rmse", float(history["rmse"].iloc[-1])),
            Figure(f"{what}, best epoch", "rmse", best["rmse"], f"epoch {best['epoch']:.0f}"),
            _sample(what, model, config.sample),
        ]
    return figures, pd.concat(curves)[["dim", "epoch", "loss", "rmse"]]


def _sample(what: str, model: MatrixFactorization, pair: tuple[int | str, int | str]) -> Figure:
    user, item = pair
    name = f"{what}, user {user} and item {item}"
    if user not in model.users_.ids.tolist() or item not in model.items_.ids.tolist():
        return Figure(name, "rating", None, "not both in train")
    return Figure(name, "rating", float(model.predict([user], [item])[0]))


def _comparison(config: R1Config, lab: Lab) -> tuple[list[Figure], pd.DataFrame]:
    setup = config.comparison
    table, _ = filter_ratings(lab.ratings, setup.filter, None)
    parts, _ = split_ratings(table, config.split, None)
    whole = pd.concat([parts.train, parts.test])
    chosen = warm(parts.test, parts.train)
    rows = chosen.sample(min(setup.test_rows, len(chosen)), random_state=setup.test_seed)
    found: dict[tuple[str, str], tuple[float | None, str]] = {}
    recommended = []
    for side in _SIDES:
        made = partial(KINDS[side], as_they_are(setup.neighbours))
        leaking, honest = lab.fit("", with_leak(made()), whole), lab.fit("", made(), parts.train)
        found[f"{side}-based", LEAKING] = answered_rmse(leaking, rows)
        found[f"{side}-based", HONEST] = answered_rmse(honest, rows)
        everything = lab.fit("", made(), whole)
        first = everything.users_.ids[0]
        best = lab.recommendations(everything, first, setup.top_n, whole)
        recommended.append(best.assign(**{"model": f"{side}-based", USER: first}))
    model = MatrixFactorization(unclipped(setup.factors))
    lab.fit(f"r1-comparison-dim{setup.factors.dim}", model, parts.train, parts.test)
    error = rmse(rows[RATING].to_numpy(), model.predict(rows[USER], rows[ITEM]))
    for procedure in (LEAKING, HONEST):
        found["model-based", procedure] = error, f"epoch {model.epochs_}, chosen on the test rows"
    return _ranked(found), pd.concat(recommended, ignore_index=True)


def _ranked(found: dict[tuple[str, str], tuple[float | None, str]]) -> list[Figure]:
    """RMSE of every method under both procedures, and its rank among the three."""
    figures = []
    for procedure, method in product((LEAKING, HONEST), dict.fromkeys(m for m, _ in found)):
        value, note = found[method, procedure]
        others = [found[m, p][0] for m, p in found if p == procedure]
        rank = None if value is None else 1 + sum(o is not None and o < value for o in others)
        what = f"{method}, {procedure}"
        figures += [Figure(what, "rmse", value, note), Figure(what, "rank", rank)]
    return figures
