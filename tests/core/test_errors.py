from __future__ import annotations

import inspect
import signal

import cofilter.core.errors
from cofilter.core.errors import CofilterError, Interrupted


def test_stages_can_catch_them_all() -> None:
    classes = [value for _, value in inspect.getmembers(cofilter.core.errors, inspect.isclass)]
    assert len(classes) > 5
    assert all(issubclass(cls, CofilterError) for cls in classes)


def test_an_interruption_names_its_signal() -> None:
    assert str(Interrupted(signal.SIGTERM)) == "stopped by SIGTERM"
    assert Interrupted(signal.SIGINT).signal_number == 2
    assert str(Interrupted(signal.SIGINT, "after epoch 3")) == "after epoch 3"
