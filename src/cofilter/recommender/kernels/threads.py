"""How many threads kernels get."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TypeVar

import numba
from threadpoolctl import ThreadpoolController, threadpool_limits

T = TypeVar("T")


_held_back = False


@contextmanager
def threads_held_back() -> Iterator[None]:
    """Models are made and loaded without the start of Numba's threads.

    For a process that forks afterwards: threads do not live on in its children, and GNU's OpenMP
    ends a child that calls a parallel kernel after its parent has started them. Kernels that run
    in here must be serial, which those that `load` and `Recommender.prepare` call are.
    """
    global _held_back
    before, _held_back = _held_back, True
    try:
        yield
    finally:
        _held_back = before


def start_threads() -> None:
    """Have Numba start its threads, once a process, without a trace in torch.

    Where the two share an OpenMP library, Numba's start sets the number of threads for both.
    """
    if not _held_back:
        _start_threads()


@cache
def _start_threads() -> None:
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


def one_blas_thread() -> AbstractContextManager[object]:
    """BLAS on one thread for a time: how a product is cut among threads shows in its last bits."""
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> ThreadpoolController:
    """NumPy's BLAS, among others; looking for loaded libraries takes milliseconds."""
    return ThreadpoolController()


def in_threads(work: Callable[[T], None], each: Iterable[T]) -> None:
    """Call ``work`` for each, in as many threads as kernels get; for calls that NumPy dominates.

    A product is one thread's, so that the bits do not depend on how many there are.
    """
    start_threads()
    with one_blas_thread(), ThreadPoolExecutor(numba.get_num_threads()) as pool:
        for _ in pool.map(work, each):
            pass
