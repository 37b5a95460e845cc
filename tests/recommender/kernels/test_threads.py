from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import cofilter
from cofilter.recommender.kernels.threads import few_threads, set_threads


def test_kernels_get_what_is_asked_for_and_blas_one() -> None:
    before = numba.get_num_threads()
    with threadpool_limits(2, user_api="blas"):
        try:
            set_threads(1)
            assert numba.get_num_threads() == 1
            pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
            assert pools
            assert all(pool["num_threads"] == 1 for pool in pools)
            numba.set_num_threads(before)
            set_threads(10_000)
            assert numba.get_num_threads() == before
        finally:
            numba.set_num_threads(before)


@pytest.mark.parametrize("small", [False, True])
def test_a_small_call_has_one_thread_and_the_others_what_was_set(small: bool) -> None:
    before = numba.get_num_threads()

    def work(fails: bool) -> None:
        with few_threads(small):
            assert numba.get_num_threads() == (1 if small else before)
            if fails:
                raise KeyError

    work(False)
    with pytest.raises(KeyError):
        work(True)
    assert numba.get_num_threads() == before


@pytest.mark.parametrize("threads", [1, 3])
def test_numba_s_start_does_not_change_torch_s_threads(threads: int) -> None:
    """Both may use one OpenMP library. Numba starts once a process, so this takes a new one."""
    script = f"""
import torch
torch.set_num_threads({threads})
import pandas as pd
from cofilter import ItemKNN
table = pd.DataFrame({{"user_id": [1, 1, 2], "item_id": [1, 2, 1], "rating": [1.0, 2.0, 3.0]}})
ItemKNN(k=1).fit(table).recommend([1, 2], 1)
print(torch.get_num_threads())
"""
    environment = os.environ | {"PYTHONPATH": str(Path(cofilter.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(threads)]
