"""How many threads a kernel call gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba


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
