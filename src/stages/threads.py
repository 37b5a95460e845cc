"""How many threads a stage takes."""

from __future__ import annotations

import numba
from threadpoolctl import threadpool_limits


def set_threads(threads: int) -> None:
    """Threads of our kernels; more than the machine has are not an error, since bits are equal.

    BLAS gets one thread: the last bits of its products depend on how many it has, and by default
    that is what the machine happens to have. EASE, which needs more, asks for its own number.
    """
    numba.set_num_threads(max(1, min(threads, numba.get_num_threads())))
    threadpool_limits(1, user_api="blas")
