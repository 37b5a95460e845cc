"""How many threads kernels get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba
from threadpoolctl import threadpool_limits


def set_threads(threads: int) -> None:
    """Threads of our kernels for the rest of this process; more than there are is no error.

    Their bits are the same for any number. BLAS gets one thread: the last bits of its products
    depend on how many it has, and by default that is what the machine happens to have. EASE, which
    needs more, sets its own number for its time.
    """
    numba.set_num_threads(max(1, min(threads, numba.get_num_threads())))
    threadpool_limits(1, user_api="blas")


@contextmanager
def few_threads(small: bool) -> Iterator[None]:
    """One thread for a small call, else as many as are set; the kernels' bits are the same.

    On a busy machine each wait for another thread costs milliseconds, more than a small call does.
    """
    threads = numba.get_num_threads()
    numba.set_num_threads(1 if small else threads)
    try:
        yield
    finally:
        numba.set_num_threads(threads)
