from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from cofilter.blending import stacking
from cofilter.blending.stacking import convex, error_products, path, stack


def models(n_rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ratings, and six models: three with independent errors, a copy, a constant, a bad one."""
    rng = np.random.default_rng(seed)
    rating = rng.integers(1, 6, n_rows).astype(np.float32)
    noise = rng.normal(size=(n_rows, 4)) * [0.5, 0.6, 0.7, 3.0]
    good = rating[:, None] + noise
    predicted = np.column_stack([good[:, :3], good[:, 0], np.full(n_rows, 3.0), good[:, 3] + 4])
    return predicted.astype(np.float32), rating


def squared(weights: np.ndarray, predicted: np.ndarray, rating: np.ndarray) -> float:
    return float(((rating - predicted.astype(float) @ weights) ** 2).sum())


def test_products_give_the_error_of_any_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    predicted, rating = models()
    monkeypatch.setattr(stacking, "ROWS_AT_ONCE", 37)
    products = error_products(predicted, rating)
    weights = np.random.default_rng(1).dirichlet(np.ones(6))
    assert weights @ products @ weights == pytest.approx(squared(weights, predicted, rating))


def test_weights_are_the_best_that_a_general_solver_finds() -> None:
    predicted, rating = models()
    found = convex(error_products(predicted, rating), range(6))
    by_search = minimize(
        squared,
        np.full(6, 1 / 6),
        (predicted, rating),
        method="SLSQP",
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert squared(found, predicted, rating) <= by_search.fun * (1 + 1e-6)


def test_independent_errors_are_weighted_by_their_precision() -> None:
    predicted, rating = models(200_000)
    found = convex(error_products(predicted, rating), [0, 1, 2])
    precision = 1 / np.array([0.5, 0.6, 0.7]) ** 2
    assert found[:3] == pytest.approx(precision / precision.sum(), abs=0.01)


def test_each_size_adds_the_model_that_helps_most() -> None:
    predicted, rating = models()
    products = error_products(predicted, rating)
    sizes = path(products, 3)
    assert sizes[0].tolist() == np.eye(6)[np.argmin(np.diag(products))].tolist()
    errors = [w @ products @ w for w in path(products, 6)]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(errors))
    pairs = [convex(products, [0, other]) for other in (1, 2, 3, 4, 5)]
    assert sizes[1] @ products @ sizes[1] == min(w @ products @ w for w in pairs)


def test_a_model_that_does_not_help_held_out_users_gets_no_weight() -> None:
    """Noise models help in the sample by chance; the fewest within one standard error stay."""
    rng = np.random.default_rng(3)
    predicted, rating = models(60)
    noise = rng.normal(3, 1.5, (60, 30))
    crowd = np.column_stack([predicted[:, :1], noise]).astype(np.float32)
    group = np.arange(60) % 5
    folds = [error_products(crowd[group == g], rating[group == g]) for g in range(5)]
    weights = stack(folds, np.full(5, 12), 8)
    assert weights.tolist() == np.eye(31)[0].tolist()
    assert (path(sum(folds), 8)[-1] > 0).sum() > 1


def test_several_models_that_help_are_all_taken() -> None:
    predicted, rating = models(2000)
    group = np.arange(2000) % 5
    folds = [error_products(predicted[group == g], rating[group == g]) for g in range(5)]
    weights = stack(folds, np.full(5, 400), 8)
    assert (weights[[1, 2]] > 0).all()
    assert weights[0] + weights[3] > 0  # equal models: either, or both
    assert weights[5] < 0.05


def test_a_single_fold_gives_a_single_model() -> None:
    predicted, rating = models()
    weights = stack([error_products(predicted, rating)], np.array([400]), 8)
    assert (weights > 0).sum() == 1


def test_perfect_models_share() -> None:
    rating = np.array([1.0, 5.0], np.float32)
    products = error_products(np.column_stack([rating, rating]), rating)
    assert convex(products, [0, 1]).tolist() == [0.5, 0.5]
    assert convex(error_products(np.column_stack([rating, rating + 1]), rating), [0, 1]) == (
        pytest.approx([1, 0], abs=1e-6)
    )
