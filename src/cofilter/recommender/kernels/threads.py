"""How many threads kernels get."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numba
from threadpoolctl import threadpool_limits


@cache
def start_threads() -> None:
    """Have Numba start its threads, once a process, without a trace in torch.

    Where the two share an OpenMP library, Numba's start sets the number of threads for both.
    """
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    numba.get_num_threads()  # starts them
    if torch is not None:
        torch.set_num_threads(before)


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
    start_threads()
    threads = numba.get_num_threads()
    numba.set_num_threads(1 if small else threads)
    try:
        yield
    finally:
        numba.set_num_threads(threads)
