"""What a library may not change in a process that is not its own; a part of `ModelContract`."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import cofilter
from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import CapabilityError, DataError
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Learner, Task, Trained
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score


def process_state() -> dict[str, Any]:
    """What other code in this process may rely on."""
    import torch  # here, since other tests hold that a kernel is used without it

    return {
        "torch threads": torch.get_num_threads(),
        "torch deterministic": torch.are_deterministic_algorithms_enabled(),
        "torch warns only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "torch generator": torch.get_rng_state().tolist(),
        "torch gradients": torch.is_grad_enabled(),
        "numba threads": numba.get_num_threads(),
        "numpy generator": repr(np.random.get_state()),
        "numpy errors": np.geterr(),
        "python generator": random.getstate(),
        "blas threads": {
            pool["filepath"]: pool["num_threads"]
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        },
        "environment": {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
        },
        "signals": [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)],
    }


def changed(before: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What of the process's state is not as it was, with both values."""
    after = process_state()
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


class Breaking:
    """A trainer whose learner is stopped within its first epoch."""

    def run(self, learner: Learner, task: Task) -> Trained:
        def tick(n_ratings: int) -> None:
            raise KeyError("stopped")

        learner.run_epoch(1, tick)
        raise AssertionError("every epoch ticks")


class StateContract:
    """Threads, random generators, deterministic algorithms and the like stay what they were."""

    make: Callable[[], Recommender]
    fit: Callable[[pd.DataFrame], Recommender]

    @pytest.fixture
    def unusual(self) -> Iterator[dict[str, Any]]:
        """A process whose settings are neither the defaults nor what any model sets; restored."""
        import torch

        torch_threads, numba_threads = torch.get_num_threads(), numba.get_num_threads()
        torch.set_num_threads(3)
        torch.use_deterministic_algorithms(True, warn_only=True)
        numba.set_num_threads(1)
        torch.manual_seed(5)
        with threadpool_limits(2, user_api="blas"):
            yield process_state()
        torch.set_num_threads(torch_threads)
        torch.use_deterministic_algorithms(False)
        numba.set_num_threads(numba_threads)

    def test_public_calls_leave_the_process_as_it_was(
        self, unusual: dict[str, Any], table: pd.DataFrame, tmp_path: Path
    ) -> None:
        train, rest = table.iloc[::2], table.iloc[1::2]
        model = self.fit(train)
        assert changed(unusual) == {}
        people = model.fold_in(rest)
        model.save(tmp_path / "model")
        loaded = cofilter.load(tmp_path / "model")
        score(loaded, train, None, rest, ScoreConfig(k=(3,), relevance_threshold=None))
        if model.predicts_ratings:
            model.predict(people.take(rest[USER]), rest[ITEM])
        if model.ranks:
            model.recommend(people, 3)
        with contextlib.suppress(CapabilityError):
            model.similar_items(train[ITEM].unique())
        assert changed(unusual) == {}

    def test_an_error_leaves_the_process_as_it_was(
        self, unusual: dict[str, Any], table: pd.DataFrame
    ) -> None:
        model = self.make()
        if model.gradient:
            with pytest.raises(KeyError, match="stopped"):
                model.fit(table, trainer=Breaking())
        else:
            with pytest.raises(DataError):
                self.fit(table.iloc[:0])
        assert changed(unusual) == {}
