"""The fork server: imports libraries once, then forks a child for each command; see the package.

``python server.py ADDRESS`` listens at a Unix socket until its standard input ends. A child leaves
`Server.serve` with its request, becomes what that asks for, and never comes back.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import marshal
import os
import random
import selectors
import signal
import socket
import sys
import tempfile
import time
import warnings
from functools import cache
from typing import NamedTuple

# Beside this script; the package `stages` is a checkout's, and left to the children.
from child import to_the_end  # type: ignore[import-not-found]
from client import REFUSED, SIZE  # type: ignore[import-not-found]

# What most children import: numbers, tables, configuration, charts and the terminal, DVC.
LIBRARIES = (
    *("numpy", "scipy.sparse.linalg", "scipy.stats", "numba.typed", "numba.experimental"),
    *("threadpoolctl", "psutil", "pandas", "pyarrow.parquet", "pyarrow.dataset", "polars"),
    *("safetensors.numpy", "pydantic", "omegaconf", "hydra.main", "hydra.compose", "filelock"),
    *("hydra._internal.hydra", "hydra.core.plugins", "altair", "vl_convert", "jinja2", "tqdm"),
    *("rich.console", "rich.progress", "rich.table", "requests", "tenacity", "networkx", "wandb"),
    *("dvc.repo.reproduce", "dvc.repo.status", "dvc.repo.index", "dvc.parsing", "dvc.lock"),
    *("dvc_data.index.build", "scmrepo.git", "dulwich.porcelain", "pathspec", "ruamel.yaml"),
)
# Of these checkouts hold copies; by the last one our Hydra plugin knows DVC's process.
LEFT = ("benchmarks", "cofilter", "hydra_plugins", "stages", "tests", "dvc.repo.experiments")
READ_ON_IMPORT = ("PYTHON", "NUMBA_", "OMP_", "OPENBLAS_", "MKL_", "POLARS_", "ARROW_", "LD_")
MOST_FILES = 64
HEEDED = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")  # by a child itself


class Request(NamedTuple):
    """A command with its folder, environment and umask, its client's process, its open files."""

    words: list[str]
    folder: str
    environment: dict[str, str]
    umask: int
    client: int
    numbers: list[int]


class Server:
    """Its sockets, and the connection of each child's client."""

    def __init__(self, address: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(64)
        self.clients: dict[int, socket.socket] = {}
        self.woken, self.wakes = socket.socketpair()
        for each in (self.woken, self.wakes):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakes.fileno(), warn_on_full_buffer=False)
        self.selector = selectors.DefaultSelector()
        for source in (self.listener, self.woken, sys.stdin):
            self.selector.register(source, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """In a child its request; None when standard input has ended, and all children with it."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is sys.stdin:
                    for child in self.clients:
                        os.kill(child, signal.SIGKILL)
                    return None
                if key.fileobj is self.woken:
                    self.woken.recv(4096)
                    self._tell_ends()
                elif key.fileobj is self.listener:
                    if request := self._accept():
                        return request
                elif key.data in self.clients:  # a client says no more: it was killed
                    os.kill(key.data, signal.SIGKILL)
                    self.selector.unregister(key.fileobj)

    def _tell_ends(self) -> None:
        """Tell the clients of children that have ended how they did."""
        while self.clients:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            connection = self.clients.pop(child)
            with connection, contextlib.suppress(KeyError, BrokenPipeError):  # of a killed client
                self.selector.unregister(connection)
                connection.sendall(code.to_bytes(SIZE, "big", signed=True))

    def _accept(self) -> Request | None:
        """Fork a child for the next client; in it its request."""
        connection, _ = self.listener.accept()
        head, files, _, _ = socket.recv_fds(connection, SIZE, MOST_FILES)
        body = _received(connection, int.from_bytes(head, "big"))
        request = Request(*marshal.loads(body)) if body else None
        if request is None or not possible(request):
            with connection, contextlib.suppress(BrokenPipeError):  # of a killed client
                connection.sendall(REFUSED)
        elif child := _fork():
            self.clients[child] = connection
            self.selector.register(connection, selectors.EVENT_READ, child)
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(child.to_bytes(SIZE, "big"))
        else:
            self._leave(connection)
            take_files(files, request.numbers)
            return request
        for each in files:
            os.close(each)
        return None

    def _leave(self, connection: socket.socket) -> None:
        """In a child: nothing of the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for each in (self.listener, self.woken, self.wakes, connection, *self.clients.values()):
            each.close()


def take_files(files: list[int], numbers: list[int]) -> None:
    """Give the client's files their numbers in this process; these may cross, so first away."""
    above = max(*files, *numbers) + 1
    for at, each in enumerate(files):
        os.dup2(each, above + at)
        os.close(each)
    for at, number in enumerate(numbers):
        os.dup2(above + at, number)
        os.close(above + at)


def _received(connection: socket.socket, size: int) -> bytes:
    """So many bytes; none when the client ended before."""
    body = b""
    while len(body) < size:
        part = connection.recv(size - len(body))
        if not part:
            return b""
        body += part
    return body


def _fork() -> int:
    with warnings.catch_warnings():  # the threads of libraries, which see to forks themselves
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def possible(request: Request) -> bool:
    """Whether a child of this process can be what a process of its own would be."""

    def read(environment: dict[str, str]) -> dict[str, str]:
        names = [name for name in environment if name.startswith(READ_ON_IMPORT)]
        return {name: environment[name] for name in names if name not in HEEDED}

    try:
        session = os.getsid(request.client)
    except ProcessLookupError:  # it was killed
        return False
    ours = session in (os.getsid(0), request.client)
    return ours and read(request.environment) == read(dict(os.environ))


def become(request: Request) -> None:
    """Take over folder, umask, environment and process group, with random states of its own.

    A client that leads a session has been given one of its own, and so is the child.
    """
    if os.getsid(request.client) == request.client:
        os.setsid()
    else:
        os.setpgid(0, os.getpgid(request.client))
    os.chdir(request.folder)
    os.umask(request.umask)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    for folder in temporary_folders():  # else the first child to end removes all children's
        folder._finalizer.detach()  # type: ignore[attr-defined]
        folder.__init__()  # type: ignore[misc]
    random.seed()
    sys.modules["numpy"].random.seed()
    if request.environment.get("PYTHONUNBUFFERED") or os.isatty(1):
        assert isinstance(sys.stdout, io.TextIOWrapper)
        sys.stdout.reconfigure(line_buffering=True)
    sys.dont_write_bytecode = bool(request.environment.get("PYTHONDONTWRITEBYTECODE"))


@cache
def temporary_folders() -> list[tempfile.TemporaryDirectory[str]]:
    """Those that libraries have made when they were imported; wandb keeps its tables in one."""
    return [each for each in gc.get_objects() if type(each) is tempfile.TemporaryDirectory]


def prepare() -> None:
    """Import the libraries and have Numba set up its compiler."""
    for name in LIBRARIES:
        importlib.import_module(name)
    sys.modules["numba"].njit(lambda number: number + 1)(1)
    loaded = [name for name in LEFT if name in sys.modules]
    assert not loaded, loaded
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # DVC's colorama has wrapped them
    gc.collect()
    temporary_folders()
    gc.freeze()  # so that children do not look through all this, nor copy it


if __name__ == "__main__":
    address = sys.argv[1]
    del sys.path[0], sys.modules["child"], sys.modules["client"]
    prepare()
    server = Server(address)
    os.write(1, b"ready\n")
    if asked := server.serve():
        become(asked)
        to_the_end(asked.words)
