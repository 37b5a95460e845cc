"""Training on a GPU beside the CPU: ratings a second of the models that torch can train.

``python -m benchmarks.on_a_gpu`` needs a CUDA GPU. Ratings are made up, with popularity that falls
as 1 / rank, since only their number and their users and items matter for speed; the first epoch
warms up, the median of the others counts. Beside matrix factorization by torch stands our kernel.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch

from cofilter import ImplicitNetwork, MatrixFactorization, RatingNetwork
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.recommender.epochs import Follower, Progress, Row, run_epochs
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.recommender.kernels.threads import set_threads
from cofilter.recommender.learner import Learner, Task, Trained

N_USERS, N_ITEMS, N_RATINGS = 13_850, 26_744, 500_000
EPOCHS = 3
MF: dict[str, Any] = {"dim": 64, "optimizer": "adam", "batch_size": 65_536, "epochs": EPOCHS}
MODELS: dict[str, Callable[[str], IterativeRecommender]] = {
    "mf/biased by torch": lambda device: MatrixFactorization(**MF, engine="torch", device=device),
    "ncf/rating": lambda device: RatingNetwork(epochs=EPOCHS, device=device),
    "ncf/implicit": lambda device: ImplicitNetwork(epochs=EPOCHS, device=device),
}


def main() -> None:
    """Print a line a model and device."""
    threads = os.cpu_count() or 1
    set_threads(threads)
    print(f"{torch.cuda.get_device_name()}, {threads} CPU threads, {N_RATINGS:,} ratings")
    table = made_up()
    fused = MatrixFactorization(**MF | {"optimizer": "sgd"}, engine="fused", device="cpu")
    print(f"mf/biased fused, cpu: {speed(fused, table):,.0f} ratings/s", flush=True)
    for name, make in MODELS.items():
        for device in ("cpu", "cuda"):
            print(f"{name}, {device}: {speed(make(device), table):,.0f} ratings/s", flush=True)
    print(f"GPU memory at most {torch.cuda.max_memory_allocated() / 1e9:.2f} GB")


def made_up() -> pd.DataFrame:
    """Ratings of random users on items drawn by 1 / rank."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, N_ITEMS + 1)
    pairs = {
        USER: rng.integers(0, N_USERS, N_RATINGS),
        ITEM: rng.choice(N_ITEMS, N_RATINGS, p=share / share.sum()),
    }
    table = pd.DataFrame(pairs).drop_duplicates(ignore_index=True)
    return table.assign(**{RATING: rng.integers(1, 6, len(table)).astype(np.float32)})


class Timed(Follower):
    """A trainer that keeps each epoch's speed."""

    def __init__(self) -> None:
        self.speeds: list[float] = []

    def epoch_ended(self, row: Row, ratings_per_second: float) -> None:
        """Called when an epoch is complete."""
        self.speeds.append(ratings_per_second)

    def run(self, learner: Learner, task: Task) -> Trained:
        """Run the epochs in memory."""
        return run_epochs(learner, task, Progress(), self)


def speed(model: IterativeRecommender, table: pd.DataFrame) -> float:
    """Ratings a second of the median epoch after the first; negatives are not counted."""
    timed = Timed()
    model.fit(table, None, timed)
    return median(timed.speeds[1:])


if __name__ == "__main__":
    main()
