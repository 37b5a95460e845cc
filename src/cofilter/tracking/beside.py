"""A tracked run in a process of its own, so that a stage does not wait for wandb.

To import wandb, start its service and open a run takes longer than to train a small model. The
other process does it on another core while the stage imports its own libraries, reads and trains.

This module needs the standard library alone, so that a stage can `launch` before anything else.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import struct
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cofilter.core.errors import is_interruption
from cofilter.core.paths import main_checkout
from cofilter.tracking.data import data_of
from cofilter.tracking.going import hold

if TYPE_CHECKING:
    import pandas as pd

    from cofilter.tracking.config import TrackingConfig
    from cofilter.tracking.records import Chart

log = logging.getLogger(__name__)

HURRY_SECONDS = 0.7  # a preempted machine gives 2 s, and the checkpoint needs its share
STUCK_SECONDS = 60  # that a message may wait for the other process before it is given up
ENDED = "ended"  # the other process's last word
INTERPRETER = "COFILTER_INTERPRETER"  # the variable that names a command in place of ours
_WORKER = "cofilter.tracking.worker"
_SOURCES = Path(__file__).parents[2]


class Worker(NamedTuple):
    """A process that waits for the description of its run, and the pipe to it."""

    process: subprocess.Popen[bytes]
    pipe: Connection


_launched: list[Worker] = []


def launch(*, tables: bool = True) -> None:
    """Start the process of this process's next `TrackerBeside`.

    Parameters
    ----------
    tables:
        Whether it will be sent tables: it then imports pandas ahead.
    """
    _launched.append(_start(main_checkout(), tables))


def _start(root: Path, tables: bool = True) -> Worker:
    held = hold(root)
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STUCK_SECONDS, 0))
    with theirs:
        process = subprocess.Popen(
            [
                os.environ.get(INTERPRETER, sys.executable),
                "-m",
                _WORKER,
                str(theirs.fileno()),
                str(int(tables)),
            ],
            env=os.environ | {"PYTHONPATH": str(_SOURCES)},
            pass_fds=[theirs.fileno(), *held],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what it has to say comes through the pipe
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the stage, which then ends the run in order
        )
    for number in held:
        os.close(number)  # the other process has it from now on
    return Worker(process, Connection(ours.detach()))


class EndsWithBlock(ABC):
    """A run that its ``with`` block finishes: as failed after an error, in a hurry when stopped."""

    @abstractmethod
    def finish(self, exit_code: int = 0, hurry: bool = False) -> None:
        """End the run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish(0 if error is None else 1, hurry=is_interruption(error))


class TrackerBeside(EndsWithBlock):
    """A `cofilter.tracking.tracker.Tracker` in another process, with the same methods.

    What is logged is sent through a pipe; only `finish` may wait. When this process is killed, the
    other one sees the pipe's end and finishes the run as failed. When the other one dies, there is
    one warning, and every method then does nothing.

    Parameters
    ----------
    config:
        As of `Tracker`; a disabled one starts no process.
    waits:
        Whether `finish` waits for the run's end. A stage of a second would otherwise wait for the
        import of wandb; `cofilter.tracking.going` waits for all runs in its place. Not for a run
        that copies files, which DVC may move after the stage.
    described:
        The further arguments of `Tracker`.
    """

    def __init__(self, config: TrackingConfig, *, waits: bool = True, **described: Any) -> None:
        self.waits = waits
        self.run_id: str | None = None
        self._worker = _launched.pop() if _launched else None
        if config.wanted_mode == "disabled":
            self._let_go()
            return
        self._worker = self._worker or _start(described["root"])
        self._send(config, described)

    def start(
        self,
        run_id: str | None = None,
        history: Sequence[Mapping[str, float]] = (),
        phase: str = "fit",
    ) -> str:
        """Start or continue a run, see `Tracker.start`; gives its id."""
        self.run_id = self.run_id or run_id or secrets.token_hex(5)
        self._send("start", run_id, history, phase, self.run_id)
        return self.run_id

    def log_epoch(self, row: Mapping[str, float | None], phase: str = "fit") -> None:
        """Log a completed epoch, see `Tracker.log_epoch`."""
        self._send("log_epoch", row, phase)

    def log_summary(self, values: Mapping[str, Any]) -> None:
        """Set summary values."""
        self._send("log_summary", values)

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Log a table without its index."""
        self._send("log_table", name, table)

    def log_artifact(
        self, name: str, type: str, path: Path, aliases: Sequence[str] = ("latest",)
    ) -> None:
        """Log a file or folder, which has to stay until `finish`; see `Tracker.log_artifact`."""
        self._send("log_artifact", name, type, path.absolute(), aliases)

    def log_data(self, name: str, type: str, *paths: Path) -> None:
        """Log files or folders by reference, with the checksums that they have now."""
        self._send_data("log_data", name, type, paths)

    def use_data(self, name: str, type: str, *paths: Path) -> None:
        """Note that the run has read files or folders, see `Tracker.use_data`."""
        self._send_data("use_data", name, type, paths)

    def link_data(self, name: str, type: str, *paths: Path) -> None:
        """Link a model that a run has logged to the registry, see `Tracker.link_data`."""
        self._send_data("link_data", name, type, paths)

    def log_chart(self, name: str, table: pd.DataFrame, chart: Chart) -> None:
        """Log a chart that W&B draws, see `Tracker.log_chart`."""
        self._send("log_chart", name, table, chart)

    def log_page(self, name: str, html: str) -> None:
        """Log an HTML page or fragment."""
        self._send("log_page", name, html)

    def finish(self, exit_code: int = 0, hurry: bool = False) -> None:
        """End the run, and wait for it if it `waits`; with ``hurry`` at most `HURRY_SECONDS`."""
        self._send("finish", exit_code)
        if self.waits and not self._hear(HURRY_SECONDS if hurry else None):
            log.warning("W&B: the run is still being sent, in a process that goes on")
        self._let_go()

    def _send(self, *message: Any) -> None:
        self._hear(0)
        if self._worker is not None:
            try:
                self._worker.pipe.send(message)
            except OSError as error:
                self._lost(error)

    def _send_data(self, method: str, name: str, type: str, paths: Sequence[Path]) -> None:
        if self._worker is not None:  # else no checksum is needed
            self._send(method, data_of(name, type, paths))

    def _hear(self, seconds: float | None) -> bool:
        """Log what the other process has said; whether it ended or there is none.

        Parameters
        ----------
        seconds:
            How long to wait for its end; None: as long as it lives.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while self._worker is not None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                if not self._worker.pipe.poll(left):
                    return False
                said = self._worker.pipe.recv()
            except (OSError, EOFError) as error:
                self._lost(error)
                break
            if said == ENDED:
                break
            logging.getLogger(said.name).handle(said)
        return True

    def _lost(self, error: Exception) -> None:
        log.warning("W&B: its process has ended (%s: %s)", type(error).__name__, error)
        self._let_go()

    def _let_go(self) -> None:
        """Close the pipe: a process that is not done takes that for the end of its run."""
        if self._worker is not None:
            self._worker.pipe.close()
            self._worker = None
