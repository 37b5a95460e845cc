"""Rows of neighbourhood models."""

from __future__ import annotations

from benchmarks.judging import (
    all_of,
    beside,
    faster,
    more_a_second,
    not_worse,
    same_lists,
    same_predictions,
)
from benchmarks.row import OURS, Row
from benchmarks.rows.parties import (
    FOLDS,
    IMPLICIT,
    LARGE,
    LENSKIT,
    NEIGHBOURS,
    OTHERS,
    R1,
    TOP,
    side,
)


def item_knn() -> Row:
    """All items' 20 nearest by cosine."""
    k = {"k": 20}
    return Row(
        "item_knn",
        (
            side(OURS, NEIGHBOURS, "item_cosine", LARGE, **k),
            side("implicit", IMPLICIT, "item_cosine", LARGE, **k),
            side("sparse-dot-topn", OTHERS, "item_cosine", LARGE, **k, runs=3),
            side("lenskit", LENSKIT, "item_knn", LARGE, **k, runs=3),
        ),
        all_of(
            faster(
                "item KNN, cosine top-20 of every item, the whole fit", "implicit", 0.5,
                extra=same_lists("neighbour", "similarity", "implicit"),
            ),
            beside("item KNN, product only", "sparse-dot-topn"),
            beside("item KNN, centred ratings", "lenskit"),
        ),
    )  # fmt: skip


def knn_predictions_r1(kind: str) -> Row:
    """Predictions on R1's 5,000 × 1,000 subset; cosine, k 10, plain weighted mean."""
    ours = {
        "kind": kind, "similarity": "cosine", "k": 10, "shrinkage": 0.0, "aggregation": "plain",
    }  # fmt: skip
    return Row(
        f"knn_predictions_r1_{kind}",
        (
            side(OURS, NEIGHBOURS, "predictions", TOP, n_predicted=2_000, **ours),
            side("R1 in pandas", R1, "memory_based", TOP, kind=kind, n_predicted=2_000),
        ),
        more_a_second(
            f"KNN predictions a second, {kind}-based, top 5,000 users and 1,000 items",
            "R1 in pandas",
            1_000,
            extra=same_predictions("R1 in pandas"),
        ),
    )


def knn_predictions_surprise() -> Row:
    """Item KNN, Pearson on the baseline, k 40, centred on the baseline."""
    ours = {
        "kind": "item", "similarity": "pearson_baseline", "k": 40, "shrinkage": 100.0,
        "aggregation": "baseline_centred",
    }  # fmt: skip
    return Row(
        "knn_predictions_surprise",
        (
            side(OURS, NEIGHBOURS, "predictions", FOLDS, n_predicted=0, **ours),
            side("Surprise", OTHERS, "surprise_knn", FOLDS, k=40, shrinkage=100.0),
        ),
        more_a_second(
            "KNN predictions a second, item-based, k 40, ml-100k", "Surprise", 100,
            extra=not_worse("rmse", "Surprise", slack=0.002),
        ),
    )  # fmt: skip
