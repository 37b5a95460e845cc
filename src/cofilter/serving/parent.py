"""The process that opens the models, forks those that answer, and replaces them."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from cofilter.core.errors import CofilterError, DataError
from cofilter.serving import metrics
from cofilter.serving.config import ServeConfig
from cofilter.serving.observed import LOG
from cofilter.serving.shelf import open_shelf
from cofilter.serving.worker import work

_TICK = 0.2  # seconds between looks at workers that have ended
_START = 60.0  # seconds that a worker has to take requests
_AGAIN = 1.0  # seconds before a worker that ended by itself is replaced


@dataclass
class _Worker:
    """A forked process; ``ready`` is the pipe on which it says that it takes requests."""

    process: int
    ready: int


@dataclass
class Parent:
    """Keeps ``config.workers`` processes answering from the models in ``folders``.

    Models are opened here, once, and the workers forked from it: all of their memory is shared
    until somebody writes there. A reload opens the folders anew, starts new workers, and ends the
    old ones only when those take requests; a folder that cannot be opened changes nothing.
    """

    folders: Sequence[Path]
    config: ServeConfig
    sessions: Path
    listening: socket.socket
    workers: list[_Worker] = field(default_factory=list)
    stopping: bool = False
    reload_wanted: bool = False

    def run(self, began: float) -> None:
        """Serve until SIGTERM or SIGINT; ``began``: monotonic time of the start."""
        self._targets = self._where()
        self._shelf = open_shelf(self.folders, self.config.default, self.config.index)
        self._freeze()
        self._alive, self._held = os.pipe()
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._noticed)
        self.workers = self._started(self.config.workers)
        if len(self.workers) < self.config.workers:
            self._end(self.workers)
            raise DataError("serve: a worker ended before it took requests; the log says why")
        metrics.WORKERS.set(len(self.workers))
        self._say("ready", seconds=round(time.monotonic() - began, 3))
        try:
            self._watch()
        finally:
            self._say("stopping")
            self.listening.close()  # so that the workers are the last to let go of it
            self._end(self.workers)
            signal.set_wakeup_fd(-1)

    def _noticed(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.reload_wanted = True
        elif number != signal.SIGCHLD:
            self.stopping = True

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self.stopping:
            self._sleep(_TICK)
            self._replace_dead()
            if self.config.watch and time.monotonic() - looked >= self.config.watch:
                looked = time.monotonic()
                self.reload_wanted |= self._where() != self._targets
            if self.reload_wanted and not self.stopping:
                self.reload_wanted = False
                self._reload()

    def _where(self) -> list[str]:
        """What the folders are, links followed."""
        return [str(folder.resolve()) for folder in self.folders]

    def _reload(self) -> None:
        self._targets = self._where()  # before reading: a switch meanwhile is a further reload
        old_shelf, old = self._shelf, self.workers
        try:
            gc.unfreeze()
            self._shelf = open_shelf(self.folders, self.config.default, self.config.index)
        except CofilterError as error:
            self._freeze()
            self._kept_old(str(error))
            return
        self._freeze()
        new = self._started(self.config.workers)
        if len(new) < self.config.workers:
            self._end(new)
            self._shelf = old_shelf
            self._kept_old("a worker with the new models ended before it took requests")
            return
        self.workers = new
        self._end(old)
        metrics.RELOADS.labels("done").inc()
        self._say("reloaded")

    def _kept_old(self, reason: str) -> None:
        metrics.RELOADS.labels("refused").inc()
        LOG.error(
            "reload refused, the models from before go on", extra={"fields": {"reason": reason}}
        )

    def _freeze(self) -> None:
        """Put all that lives out of the garbage collector's way: its marks would unshare it."""
        gc.collect()
        gc.freeze()

    def _started(self, n: int) -> list[_Worker]:
        """Fork n workers; those of them that take requests."""
        begun = [self._fork() for _ in range(n)]
        until, taking = time.monotonic() + _START, []
        for worker in begun:
            ends, _, _ = select.select([worker.ready], [], [], max(0.0, until - time.monotonic()))
            if ends and os.read(worker.ready, 1):
                taking.append(worker)
            else:
                self._end([worker])
            os.close(worker.ready)
        return taking

    def _fork(self) -> _Worker:
        ready, say_ready = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            os.close(say_ready)
            return _Worker(process, ready)
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for end in (ready, self._held, self._wake):
                os.close(end)
            pipes = say_ready, self._alive
            work(self._shelf, self.config, self.sessions, self.listening, pipes)
            code = 0
        except Exception:  # noqa: BLE001 - the log is its end
            LOG.exception("worker failed")
        finally:
            os._exit(code)  # what the parent would do at its end is not this process's to do

    def _replace_dead(self) -> None:
        """Fork anew in the place of workers that ended without being asked to."""
        dead = [worker for worker in self.workers if self._ended(worker)]
        if not dead:
            return
        LOG.error("a worker ended by itself", extra={"fields": {"workers": len(dead)}})
        self.workers = [worker for worker in self.workers if worker not in dead]
        self._sleep(_AGAIN)
        if not self.stopping:
            self.workers += self._started(len(dead))

    def _ended(self, worker: _Worker) -> bool:
        done, _ = os.waitpid(worker.process, os.WNOHANG)
        if done:
            metrics.forget(worker.process)
        return bool(done)

    def _end(self, workers: Sequence[_Worker]) -> None:
        """Have workers finish what they have; those that do not in time are killed."""
        left = [worker for worker in workers if not self._ended_or_gone(worker)]
        for worker in left:
            os.kill(worker.process, signal.SIGTERM)
        until = time.monotonic() + self.config.grace + 2.0
        while left and time.monotonic() < until:
            self._sleep(_TICK)
            left = [worker for worker in left if not self._ended_or_gone(worker)]
        for worker in left:
            LOG.error("a worker was killed", extra={"fields": {"seconds": self.config.grace}})
            os.kill(worker.process, signal.SIGKILL)
            os.waitpid(worker.process, 0)

    def _ended_or_gone(self, worker: _Worker) -> bool:
        try:
            return self._ended(worker)
        except ChildProcessError:
            return True

    def _sleep(self, seconds: float) -> None:
        """Sleep, but not through a signal."""
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 1 << 12)

    def _say(self, event: str, **fields: object) -> None:
        host, port = self.listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        names = {"models": list(self._shelf.models), "default": self._shelf.default}
        about = {"url": f"http://{shown}:{port}", "workers": len(self.workers), **names, **fields}
        LOG.warning(event, extra={"fields": about})
