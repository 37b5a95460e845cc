"""Training on a GPU: the same answers as on the CPU, and resumed on either from the other."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cofilter import ImplicitNetwork, MatrixFactorization, RatingNetwork
from cofilter.core.config import parse
from cofilter.core.errors import Interrupted
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import ratings_table

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")

EPOCHS = 6
CPU, GPU = "cpu", "cuda"
Make = Callable[[str], IterativeRecommender]


def factors(**options: Any) -> Make:
    shared: dict[str, Any] = {"dim": 8, "engine": "torch", "epochs": EPOCHS}
    return lambda device: MatrixFactorization(**shared, **options, device=device)


MODELS: dict[str, Make] = {
    "biased": factors(kind="biased", optimizer="adam", lr=0.02),
    "dot": factors(kind="dot", optimizer="adagrad", lr=0.05),
    "item_centred": factors(kind="item_centred", optimizer="gd"),
    "rating": lambda device: RatingNetwork(epochs=EPOCHS, device=device),
    "implicit": lambda device: ImplicitNetwork(epochs=EPOCHS, device=device),
}


class StopsAfter:
    """An observer as a signal would be: the training ends after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def start(self, run_id: str | None, history: list[dict[str, float]], phase: str) -> str:
        return run_id or "run"

    def log_epoch(self, row: dict[str, float], phase: str) -> None:
        if row["epoch"] == self.epochs:
            raise Interrupted(signal.SIGTERM)


def fitted(
    name: str, device: str, folder: Path, stops_after: int | None = None
) -> IterativeRecommender:
    observer = None if stops_after is None else StopsAfter(stops_after)
    config = parse(CheckpointConfig, {"every_seconds": 0}, "checkpoint")
    return MODELS[name](device).fit(ratings_table(), None, Trainer(config, folder, observer))


def scores(model: IterativeRecommender) -> np.ndarray:
    items, found = model.recommend(np.unique(ratings_table()["user_id"]), k=5)
    return np.take_along_axis(found, np.argsort(items, axis=1), axis=1)


def curve(model: IterativeRecommender) -> list[float]:
    return [row["loss"] for row in model.history_]


@pytest.mark.parametrize("name", MODELS)
def test_a_gpu_computes_what_the_cpu_does(name: str, tmp_path: Path) -> None:
    """Batches and dropout come from a CPU generator, so only the rounding differs."""
    found = fitted(name, GPU, tmp_path / "gpu")
    assert found.device_ == GPU
    expected = fitted(name, CPU, tmp_path / "cpu")
    np.testing.assert_allclose(curve(found), curve(expected), rtol=2e-3)


@pytest.mark.parametrize("name", MODELS)
def test_two_fits_on_a_gpu_are_equal(name: str, tmp_path: Path) -> None:
    first, second = (fitted(name, GPU, tmp_path / each) for each in ("first", "second"))
    assert first.history_ == second.history_
    np.testing.assert_array_equal(scores(first), scores(second))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("before", "after"), [(GPU, CPU), (CPU, GPU), (GPU, GPU)])
def test_a_training_goes_on_on_another_device(
    name: str, before: str, after: str, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        fitted(name, before, tmp_path, stops_after=2)
    resumed = fitted(name, after, tmp_path)
    assert len(resumed.history_) == EPOCHS
    straight = fitted(name, before, tmp_path / "straight")
    assert curve(resumed)[:2] == curve(straight)[:2]  # taken over, not trained again
    np.testing.assert_allclose(curve(resumed), curve(straight), rtol=2e-3)
