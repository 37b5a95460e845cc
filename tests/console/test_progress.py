from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from cofilter.console.progress import busy

SHOW = "from cofilter.console.progress import busy\nwith busy('cutting the ratings'): pass"


def test_silent_off_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with busy("cutting the ratings"):
        pass
    assert capfd.readouterr() == ("", "")


def test_shown_on_a_terminal() -> None:
    master, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm"}
    subprocess.run([sys.executable, "-c", SHOW], stderr=terminal, env=environment, check=True)
    os.close(terminal)
    assert b"cutting the ratings" in os.read(master, 10_000)
    os.close(master)
