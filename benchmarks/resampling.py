"""Bootstrap sums over users: our draws and one product beside NumPy's draws and SciPy's bootstrap.

    python -m benchmarks.resampling

Sums of 10,000 resamples for users × columns that come up: one model's figures, and a block of a
leaderboard's. Large shapes run a part of the resamples, and their time is scaled up. Prints a
Markdown table of CPU seconds, the least of three calls, which other work on the machine moves
less than wall time. BLAS has one thread, as in every stage; Numba has two for our draws, so that on
a machine with two idle cores these take half of their CPU seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from cofilter.evaluation.kernels.resampling import weighted_sums
from cofilter.recommender.kernels.random import stream_key

RESAMPLES = 10_000
# users, columns and how many of the resamples run
SHAPES = (
    (52, 30, 10_000),
    (943, 30, 10_000),
    (943, 100, 10_000),
    (10_000, 30, 1_000),
    (10_000, 300, 1_000),
    (138_493, 30, 200),
    (100_000, 300, 100),
)
BLOCK = 1 << 22  # weights at once
Sums = Callable[[np.ndarray, int], np.ndarray]


def ours(values: np.ndarray, n_resamples: int) -> np.ndarray:
    """Draws by a kernel, sums by BLAS."""
    return weighted_sums(values, n_resamples, stream_key(0, 1))


def multinomial(values: np.ndarray, n_resamples: int) -> np.ndarray:
    """Draws by ``Generator.multinomial``, sums by BLAS."""
    n, rng = len(values), np.random.default_rng(0)
    chance = np.full(n, 1 / n)
    return _products(lambda rows: rng.multinomial(n, chance, size=rows), values, n_resamples)


def counted(values: np.ndarray, n_resamples: int) -> np.ndarray:
    """Draws by ``Generator.integers`` and ``bincount``, sums by BLAS."""
    n, rng = len(values), np.random.default_rng(0)

    def counts(rows: int) -> np.ndarray:
        drawn = rng.integers(0, n, size=(rows, n)) + np.arange(0, rows * n, n)[:, None]
        return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)

    return _products(counts, values, n_resamples)


def scipy(values: np.ndarray, n_resamples: int) -> np.ndarray:
    """``scipy.stats.bootstrap`` of the mean, all columns at once, in batches of 128 MB."""
    found = stats.bootstrap(
        (values,),
        np.mean,
        vectorized=True,
        n_resamples=n_resamples,
        batch=max(1, (1 << 24) // values.size),
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return found.bootstrap_distribution.T * len(values)


def _products(draw: Callable[[int], np.ndarray], values: np.ndarray, n_rows: int) -> np.ndarray:
    sums = np.empty((n_rows, values.shape[1]))
    step = max(1, BLOCK // len(values))
    for start in range(0, n_rows, step):
        block = sums[start : start + step]
        np.matmul(draw(len(block)).astype(np.float64), values, out=block)
    return sums


def cpu_seconds(sums: Sums, values: np.ndarray, n_resamples: int) -> float:
    """The least of three calls, scaled to `RESAMPLES`."""
    least = np.inf
    for _ in range(3):
        before = time.process_time()
        sums(values, n_resamples)
        least = min(least, time.process_time() - before)
    return least * RESAMPLES / n_resamples


def main() -> None:
    """Print the table."""
    sides: tuple[Sums, ...] = (ours, counted, multinomial, scipy)
    print("| users × columns |", " | ".join(side.__name__ for side in sides), "|")
    print("| --- |", " | ".join("---:" for _ in sides), "|")
    with threadpool_limits(1, user_api="blas"):
        ours(np.ones((2_000, 8)), 1_000)  # compiles
        for n, m, n_resamples in SHAPES:
            values = np.random.default_rng(1).random((n, m))
            cells = []
            for side in sides:
                # SciPy takes so long that fewer resamples tell as much.
                some = max(2, n_resamples // 50) if side is scipy else n_resamples
                cells.append(f"{cpu_seconds(side, values, some):.3g} s")
            print(f"| {n:,} × {m} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
