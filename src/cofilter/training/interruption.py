"""SIGTERM and SIGINT as a request to stop between two batches."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cofilter.core.errors import Interrupted


class StopRequest:
    """Set by a signal; `check` raises `Interrupted` once it is."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def receive(self, signal_number: int, frame: FrameType | None) -> None:
        """The signal handler: it only takes note, so that no library is cut in the middle."""
        self.signal_number = signal_number

    def check(self) -> None:
        """Raise `Interrupted` when a signal has come."""
        if self.signal_number is not None:
            raise Interrupted(self.signal_number)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGTERM and SIGINT into a `StopRequest` while the block runs.

    Outside the main thread Python takes no handlers; there the request never comes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, request.receive)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
