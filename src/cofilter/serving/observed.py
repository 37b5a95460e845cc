"""Around every request: an id, a line in the log, a count, headers, and one form of every error."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cofilter.serving.metrics import REQUESTS, SECONDS
from cofilter.serving.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("cofilter.serving")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")  # else a caller could write into the log
# The page has no script, style or picture but its own files, and nothing leaves for other hosts.
# Nothing is used again without being asked for: a browser would mix a page's old and new files.
SECURE = [
    (b"cache-control", b"no-cache"),
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'self'; "
     b"frame-ancestors 'none'; object-src 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]  # fmt: skip


class Observed:
    """Wraps an application; ``stopping`` is asked whether a connection is to be closed after."""

    def __init__(self, app: Application, stopping: Callable[[], bool]) -> None:
        self.app, self.stopping = app, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        scope["state"] = {"request_id": _request_id(scope)}

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *self._headers(scope)]
            elif not message.get("more_body"):  # before it goes: who has it finds it counted
                _note(scope, status, time.perf_counter() - began)
            await send(message)

        try:
            await self.app(scope, receive, answered)
        except Exception:
            LOG.exception("failed", extra={"fields": {"request_id": scope["state"]["request_id"]}})
            if not status:
                problem = Problem(500, "service", "an error of the service; its log has more")
                await respond(answered, 500, error_body(problem, scope), [])

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        own = [*SECURE, (b"x-request-id", scope["state"]["request_id"].encode())]
        return [*own, (b"connection", b"close")] if self.stopping() else own


def error_body(problem: Problem, scope: Scope) -> bytes:
    """The one form of every error."""
    error = {
        "field": problem.field,
        "reason": problem.reason,
        "request_id": scope["state"]["request_id"],
    }
    return json.dumps({"error": error}, ensure_ascii=False).encode("utf-8", "replace")


async def respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole answer, JSON."""
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})


class JsonLines(logging.Formatter):
    """A log record as one line of JSON: time, level, event, and the fields that come with it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "process": record.process,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr(*, requests: bool) -> None:
    """Have the service's log as lines of JSON on stderr; with or without a line a request."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    LOG.handlers[:] = [handler]
    LOG.propagate = False
    LOG.setLevel(logging.INFO if requests else logging.WARNING)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode("ascii")
    return secrets.token_hex(8)


def _note(scope: Scope, status: int, seconds: float) -> None:
    # The route's path, not the request's: one label each, whatever anybody asks for.
    route = scope.get("route")
    path = getattr(route, "path", None) or "(none)"
    REQUESTS.labels(path, str(status)).inc()
    SECONDS.labels(path).observe(seconds)
    if LOG.isEnabledFor(logging.INFO):
        fields = {
            "request_id": scope["state"]["request_id"],
            "method": scope["method"],
            "path": path,
            "status": status,
            "ms": round(1e3 * seconds, 3),
            "model": scope["state"].get("model"),
        }
        LOG.info("request", extra={"fields": fields})
