from __future__ import annotations

import os
import signal
import threading

import pytest

from cofilter.core.errors import Interrupted
from cofilter.training.interruption import StopRequest, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_the_next_check(number: int) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        stop.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted) as caught:
            stop.check()
    assert caught.value.signal_number == number
    assert signal.getsignal(number) is before


def test_handlers_come_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def fail() -> None:
        with stop_on_signals():
            assert signal.getsignal(signal.SIGTERM) is not before
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_is_taken_over() -> None:
    found: list[object] = []
    before = signal.getsignal(signal.SIGTERM)

    def work() -> None:
        with stop_on_signals() as stop:
            stop.check()
            found.extend([stop, signal.getsignal(signal.SIGTERM)])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert isinstance(found[0], StopRequest)
    assert found[1] is before
