from __future__ import annotations

import numba
from threadpoolctl import threadpool_info, threadpool_limits

from cofilter.recommender.kernels.threads import set_threads


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
