"""How the service runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cofilter.core.config import Config
from cofilter.release.indexed import When


class ServeConfig(Config):
    """How the service runs.

    Attributes
    ----------
    host, port:
        Where it listens; port 0 takes a free one, which the first log line names. Loopback unless
        said otherwise: there is no authentication inside.
    workers:
        Processes that answer. They share the models' memory and the listening socket.
    default:
        Name of the model that answers where a request names none; None: the first folder's.
    state:
        SQLite file that keeps sessions' ratings; None: they go when the service ends.
    max_sessions:
        Sessions kept; beyond it those that were longest without a new rating go.
    max_body:
        Bytes of a request's body.
    grace:
        Seconds that requests in work have to end, when the service stops or a worker is replaced.
    watch:
        Seconds between looks at whether a folder given as a link points elsewhere; None: only
        SIGHUP has folders read again.
    index:
        Whether models rank by the index in their folder (`cofilter.release.indexed`).
    log_requests:
        Whether each request is a line in the log.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    default: str | None = None
    state: str | None = None
    max_sessions: Annotated[int, Field(ge=1)] = 100_000
    max_body: Annotated[int, Field(ge=1)] = 1 << 20
    grace: Annotated[float, Field(gt=0)] = 30.0
    watch: Annotated[float, Field(gt=0)] | None = 1.0
    index: When = "auto"
    log_requests: bool = True
