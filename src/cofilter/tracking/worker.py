"""The other process of `cofilter.tracking.beside`: does with a tracker what the pipe says."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import pickle
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from cofilter.tracking import process
from cofilter.tracking.beside import ENDED
from cofilter.tracking.going import keep
from cofilter.tracking.tracker import Tracker


class _ToTheStage(logging.handlers.QueueHandler):
    """Sends what is logged here to the stage, whose log it belongs to; keeps it if that is gone."""

    def __init__(self, pipe: Connection, root: Path) -> None:
        super().__init__(cast(Any, pipe))  # that it is no queue, only `enqueue` knows
        self.pipe = pipe
        self.root = root

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.pipe.send(record)
        except OSError:
            keep(self.root, record.getMessage())


def serve(file_number: int, tables: int) -> None:
    """Make the tracker that the first message describes, and call the methods that the others name.

    Parameters
    ----------
    file_number:
        Of this end of the pipe. When the other end closes before ``finish`` was called, the
        stage was killed: the run has failed.
    tables:
        1 when tables will come, otherwise 0.
    """
    pipe = Connection(file_number)
    process.import_libraries(tables=bool(tables))  # while the stage imports its own
    try:
        config, described = pipe.recv()
    except EOFError:
        return  # nothing is tracked after all
    # From here on; what other libraries have to say is no news of the run.
    logging.getLogger("cofilter").addHandler(_ToTheStage(pipe, described["root"]))
    tracker = Tracker(config, **described)
    tracker.prepare()
    method = ""
    while method != "finish":
        try:
            method, *arguments = pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError):  # a pipe's own form, cut short
            method, arguments = "finish", [1]
        getattr(tracker, method)(*arguments)
    process.end_service(config.finish_timeout)  # else the stage may end before its run's file
    with contextlib.suppress(OSError):  # the stage did not wait
        pipe.send(ENDED)


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
