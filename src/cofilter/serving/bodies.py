"""Bodies of requests, read no further than they may be long."""

from __future__ import annotations

from fastapi import Request

from cofilter.serving.problems import BODY, Problem

_EXPECTED = "application/json"


async def body_of(request: Request, most: int) -> bytes:
    """A request's body; refused when it is of another type, empty, or longer than ``most`` bytes.

    A body that says its length is refused before any of it is read, one that does not as soon as
    it is too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _EXPECTED:
        reason = f"{_EXPECTED} is expected" + (f", not {kind[:100]}" if kind else "")
        raise Problem(415, "content-type", reason)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_long(most)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_long(most)
        parts.append(part)
    if not size:
        raise Problem(400, BODY, "empty; a JSON object is expected")
    return b"".join(parts)


def _too_long(most: int) -> Problem:
    return Problem(413, BODY, f"longer than {most:,} bytes")
