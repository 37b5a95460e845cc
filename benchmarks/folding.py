"""Folding in 20 ratings and the top 10, by family: ``python -m benchmarks.folding``.

Of models of MovieLens 100K's size, fitted; with ``--large`` of MovieLens 20M's, 138,493 users and
26,744 items, for families that have no factors. These are made up, since what is in a similarity or
a weight changes no time, and EASE's weights take an hour to fit: 14.8 million ratings, popularity
falling as 1 / rank, the person's items spread over all ranks. Factor models of this size are in
`benchmarks.serving`.

``with predictions`` is what the service does where a model predicts ratings: the list, and a
predicted rating of each item in it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.machine import machine
from benchmarks.serving import DIM, HISTORY, N_ITEMS, N_USERS, histories, person, timed
from cofilter import (
    BPR,
    EASE,
    BayesianFactorization,
    ExplicitALS,
    GraphFilter,
    ImplicitALS,
    ImplicitNetwork,
    ItemKNN,
    MatrixFactorization,
    RatingNetwork,
    SVDPlusPlus,
    UserKNN,
)
from cofilter.core.matrix import IdMap
from cofilter.recommender.base import Recommender
from cofilter.recommender.bias import Biases
from cofilter.recommender.histories import Histories
from cofilter.recommender.kernels.threads import set_threads
from cofilter.release.catalogue import Catalogue
from cofilter.release.newcomers import folded_in
from cofilter.release.opened import Opened
from cofilter.serving.lists import ranked

NEIGHBOURS, RANK = 40, 256  # what is made up: item neighbours, and singular vectors of the graph

FITTED: dict[str, Callable[[], Recommender]] = {
    "als/implicit": lambda: ImplicitALS(dim=DIM, epochs=2),
    "als/explicit": lambda: ExplicitALS(dim=DIM, epochs=2),
    "knn/item": lambda: ItemKNN(),
    "knn/user": lambda: UserKNN(),
    "ease": lambda: EASE(kind="rating"),
    "graph/chebyshev": lambda: GraphFilter(kind="chebyshev"),
    "graph/gfcf": lambda: GraphFilter(kind="gfcf"),
    "mf/biased": lambda: MatrixFactorization(kind="biased", dim=DIM, epochs=2),
    "mf/svdpp": lambda: SVDPlusPlus(dim=DIM, epochs=2),
    "bpr": lambda: BPR(dim=DIM, epochs=2),
    "bayes/sided": lambda: BayesianFactorization(kind="sided", epochs=60, burn_in=10),
    "ncf/rating": lambda: RatingNetwork(epochs=1),
    "ncf/implicit": lambda: ImplicitNetwork(epochs=1),
}
LARGE: dict[str, Callable[[], Recommender]] = {
    "knn/item": lambda: ItemKNN(k=NEIGHBOURS, similarity="cosine", shrinkage=0.0, scale=(1, 5)),
    "knn/user": lambda: UserKNN(k=NEIGHBOURS, similarity="cosine", shrinkage=0.0, scale=(1, 5)),
    "graph/gfcf": lambda: GraphFilter(kind="gfcf", scale=(1, 5)),
    "graph/chebyshev": lambda: GraphFilter(kind="chebyshev", scale=(1, 5)),
    "ease": lambda: EASE(kind="rating", l2=300.0, scale=(1, 5)),
}


def small() -> Iterator[tuple[str, Recommender]]:
    """Fitted models of MovieLens 100K's size."""
    rng = np.random.default_rng(0)
    pair = np.unique(rng.integers(0, 943, 110_000) * 1_682 + rng.integers(0, 1_682, 110_000))
    table = pd.DataFrame({"user_id": pair // 1_682, "item_id": pair % 1_682})
    table["rating"] = rng.integers(1, 6, len(table)).astype(float)
    for name, make in FITTED.items():
        yield name, make().fit(table)


def large() -> Iterator[tuple[str, Recommender]]:
    """Made-up models of MovieLens 20M's size."""
    rng = np.random.default_rng(0)
    had = histories(rng, N_USERS, N_ITEMS)
    for name, make in LARGE.items():
        yield name, _made_up(make(), had, rng)


def _made_up(model: Recommender, had: Histories, rng: np.random.Generator) -> Recommender:
    model.users_, model.items_ = IdMap(np.arange(N_USERS)), IdMap(np.arange(N_ITEMS))
    model.popularity_ = np.bincount(had.seen.item, minlength=N_ITEMS)
    model._biases = Biases(3.5, np.zeros(N_USERS), np.zeros(N_ITEMS), 15.0)
    model.scale_, model.data_sha256_ = (1.0, 5.0), "made up"
    model._learning, model.histories_ = model._learning_scale(), had
    ratings = {"start": had.seen.start.astype(np.int32), "index": had.seen.item}
    model._restore(ratings | _learned(model, had.rating, rng))
    return model


def _learned(
    model: Recommender, rating: np.ndarray, rng: np.random.Generator
) -> Mapping[str, np.ndarray]:
    if isinstance(model, EASE):
        weights = rng.standard_normal((N_ITEMS, N_ITEMS), np.float32)
        return {"value": rating, "weights": weights}
    if isinstance(model, GraphFilter):
        vectors = rng.standard_normal((N_ITEMS, RANK), np.float32)
        return {"value": rating / 5, "vectors": vectors}
    further = rng.integers(1, N_ITEMS // NEIGHBOURS, (N_ITEMS, NEIGHBOURS)).cumsum(axis=1)
    near = (np.arange(N_ITEMS)[:, None] + further) % N_ITEMS
    similarity = -np.sort(-rng.random((N_ITEMS, NEIGHBOURS), np.float32), axis=1)
    return {
        "rating": rating,
        "neighbour": near.astype(np.int32),
        "neighbour_similarity": similarity,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", help="one family")
    parser.add_argument("--times", type=int, default=300)
    given = parser.parse_args()
    print(json.dumps(machine()))
    set_threads(1)
    for name, model in large() if given.large else small():
        if given.only in (None, name):
            model.prepare()
            model.derive()
            opened = Opened(name, Path(), model, Catalogue.of(model.items_, None), {})
            body = person(model)
            ratings = {each.item: each.rating for each in body.ratings or ()}
            assert len(ratings) == HISTORY
            alone = timed(
                lambda _, of=model, by=ratings: of.recommend(folded_in(of, [by]), 10),
                [None] * given.times,
            )
            served = timed(lambda one, on=opened: ranked(on, [one], None), [body] * given.times)
            print(
                f"{name}: p50 {alone[0]} ms, p99 {alone[1]} ms; with predictions p50 {served[0]} "
                f"ms, p99 {served[1]} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
