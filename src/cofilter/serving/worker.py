"""One process that answers: the server around the application, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import uvicorn

from cofilter.recommender.kernels.threads import set_threads
from cofilter.serving.answers import Answers
from cofilter.serving.app import State, make_app
from cofilter.serving.config import ServeConfig
from cofilter.serving.lists import ranked
from cofilter.serving.schema import Listing, Rated
from cofilter.serving.sessions import Sessions
from cofilter.serving.shelf import Shelf

_IDLE = 1.0  # seconds that a connection without a request in work stays, when the process ends
_TICK = 0.02


class _Server(uvicorn.Server):
    """A server that ends without breaking off what anybody has sent.

    uvicorn closes idle connections at once, on which a request may be on its way. This one first
    takes no new connection and has every answer say that its connection closes; connections that
    stay silent for a second are closed then.
    """

    def __init__(self, config: uvicorn.Config, state: State, ready: int) -> None:
        super().__init__(config)
        self._state, self._ready = state, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so to the parent once requests are taken."""
        self._queue = [each.dup() for each in sockets or []]  # closing a server closes its socket
        await super().startup(sockets)
        os.write(self._ready, b"r")
        os.close(self._ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as the class says, then as uvicorn does."""
        self._state.stopping = True
        for server in self.servers:
            server.close()
        await self._take_waiting()
        before, since = self.server_state.total_requests, time.monotonic()
        while self.server_state.connections and time.monotonic() - since < _IDLE:
            await asyncio.sleep(_TICK)
            if self.server_state.total_requests != before:
                before, since = self.server_state.total_requests, time.monotonic()
        await super().shutdown(sockets)

    async def _take_waiting(self) -> None:
        """Take the connections that wait already, which the last process to let go would reset."""

        def protocol() -> asyncio.Protocol:
            cls: Any = self.config.http_protocol_class
            return cls(config=self.config, server_state=self.server_state, app_state={})

        for listening in self._queue:
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection, _ = listening.accept()
                    connection.setblocking(False)
                    await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
            listening.close()


def work(
    shelf: Shelf,
    config: ServeConfig,
    sessions: Path,
    listening: socket.socket,
    pipes: tuple[int, int],
) -> None:
    """Answer until SIGTERM, or until the parent is gone.

    ``pipes``: where to write that requests are taken, and one that ends with the parent.
    """
    ready, alive = pipes
    set_threads(1)  # one core a worker; several of them use the machine
    kept = Sessions(sessions, config.max_sessions)
    state = State(Answers(shelf, kept), config.max_body)
    _warm_up(state.answers)
    gc.collect()
    gc.freeze()  # what lives from here on is never gone through again, so its pages stay shared
    settings = uvicorn.Config(
        make_app(state),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(config.grace)),
    )
    server = _Server(settings, state, ready)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's affair

    async def serve() -> None:
        asyncio.get_running_loop().add_reader(alive, _parent_gone, server, alive)
        await server._serve([listening])

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    try:
        uvicorn_run(server, serve)
    finally:
        kept.close()


def uvicorn_run(server: uvicorn.Server, serve: object) -> None:
    """Run a server's coroutine in the loop that its configuration names."""
    factory = server.config.get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve())  # type: ignore[operator]


def _parent_gone(server: uvicorn.Server, alive: int) -> None:
    asyncio.get_running_loop().remove_reader(alive)
    server.should_exit = True


def _warm_up(answers: Answers) -> None:
    """Ask each model once, so that nobody waits for its kernels and what it derives."""
    for opened in answers.shelf.models.values():
        opened.model.derive()
        if opened.model.ranks:
            user = opened.model.users_.ids[:1].tolist()[0]
            remembers = opened.model.seen_ is not None
            item = opened.model.items_.ids[:1].tolist()[0]
            rated = Rated(item=item, rating=opened.model.scale_[1])
            known, new = Listing(user=user, exclude_seen=remembers), Listing(ratings=[rated])
            ranked(opened, [known, new], answers.sessions)
