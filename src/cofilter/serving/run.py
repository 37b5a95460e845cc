"""Start the service."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cofilter.core.config import parse, plain
from cofilter.core.errors import ConfigError, MissingDependencyError
from cofilter.serving.config import ServeConfig
from cofilter.serving.shared import shared_folder

_NEEDED = ("fastapi", "uvicorn", "uvloop", "httptools", "prometheus_client", "rapidfuzz")


def serve(folders: Sequence[Path], config: ServeConfig | None = None, **options: Any) -> None:
    """Serve models over HTTP until SIGTERM or Ctrl-C.

    Parameters
    ----------
    folders:
        Models' folders, exported or of a checkout; one that is a link is read again when the link
        is switched, and all are on SIGHUP.
    config, options:
        All settings, or some of `ServeConfig` by name.

    Raises
    ------
    DataError
        A folder holds no whole model, two models have one name, or ``state`` cannot be a file of
        sessions.
    ConfigError
        A setting is impossible, or the address is in use.
    MissingDependencyError
        The extra ``serve`` is not installed.
    """
    began = time.monotonic()
    settled = parse(ServeConfig, plain(options), "serve") if config is None else config
    require_extra()
    with shared_folder() as shared:
        # Read by prometheus_client when it makes a metric, so it is set before the import.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)
        from cofilter.serving.observed import log_to_stderr
        from cofilter.serving.parent import Parent
        from cofilter.serving.sessions import Sessions

        log_to_stderr(requests=settled.log_requests)
        sessions = Path(settled.state or shared / "sessions.sqlite")
        Sessions(sessions, settled.max_sessions).close()  # an impossible file is told here
        with _bound(settled.host, settled.port) as listening:
            Parent(list(folders), settled, sessions, listening).run(began)


def require_extra() -> None:
    """Raise a `MissingDependencyError` where a library of the extra is not there."""
    from importlib.util import find_spec

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"the service needs {', '.join(missing)}: pip install 'cofilter[serve]'"
        )


def _bound(host: str, port: int) -> socket.socket:
    """A socket with an address; workers listen on it once they take requests."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise ConfigError(f"serve: cannot listen on {host} port {port} ({error})") from None
    return bound
