"""cofilter's neighbourhood models."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.dataset import Dataset
from benchmarks.measures import rmse, scale_of
from benchmarks.ours.models import loaded, make, warm
from benchmarks.row import Measured


def item_cosine(data: Dataset, run: int, k: int) -> Measured:
    """Fit item KNN: cosine, all items' k nearest, exact; the whole of ``fit`` is timed."""
    train = warm(loaded(data, run)[0])
    model: Any = make(
        "knn", (0.5, 5.0), 0, kind="item", similarity="cosine", k=k, shrinkage=0.0,
        aggregation="plain",
    )  # fmt: skip
    started = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - started
    lists = {"neighbour": model.neighbour_, "similarity": model.neighbour_similarity_}
    return Measured([seconds], {"items": len(train.items)}, lists)


def predictions(data: Dataset, run: int, n_predicted: int, **settings: Any) -> Measured:
    """Predict test pairs, one call; fitting is apart."""
    train, test = (data.part(name, run) for name in ("train", "test"))
    known = warm(loaded(data, run)[0])
    model = make("knn", scale_of(train), 0, **settings)
    started = time.perf_counter()
    model.fit(known)
    fit = time.perf_counter() - started
    started = time.perf_counter()
    predicted = model.predict(test.user, test.item)
    seconds = time.perf_counter() - started
    facts = {
        "fit_seconds": fit,
        "predictions": len(predicted),
        "per_second": len(predicted) / seconds,
        "rmse": rmse(test.rating, predicted, scale_of(train)),
    }
    return Measured([seconds], facts, {"predicted": predicted[:n_predicted]})
