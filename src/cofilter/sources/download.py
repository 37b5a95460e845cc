"""Files over HTTP: resumed, retried where the fault may pass, checked, and kept."""

from __future__ import annotations

import errno
import json
import logging
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tqdm import tqdm

from cofilter.core.errors import SourceError
from cofilter.core.io import write_json

log = logging.getLogger(__name__)

_CHUNK = 1 << 18
_GONE = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH)


@dataclass(frozen=True)
class Policy:
    """How patient a download is; all times in seconds."""

    attempts: int = 6
    connect_attempts: int = 2  # a host that does not answer at all is left sooner
    first_wait: float = 1.0  # doubles with each attempt
    longest_wait: float = 30.0
    connect_timeout: float = 8.0
    read_timeout: float = 30.0


POLICY = Policy()


class _PassingError(Exception):
    """A fault that another attempt may not meet."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait  # seconds that the server asked for


def fetch(url: str, target: Path, policy: Policy = POLICY) -> bool:
    """Download ``url`` to ``target``, which then holds the whole body.

    An unfinished body is kept beside it (``.part``) and continued by the next attempt or call,
    if the server says that it is still the same file (``If-Range``).

    Returns
    -------
    Whether an unfinished body from earlier was continued.

    Raises
    ------
    SourceError
        With the reason alone: at once when the host has no address, refuses, has no valid
        certificate or answers 4xx; after ``policy.attempts`` for time-outs, connections cut
        short, 429 and 5xx.
    """
    part = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    resumed = part.exists()
    silences = 0

    def attempt() -> None:
        nonlocal silences
        try:
            _continue(url, part, policy)
        except requests.RequestException as error:
            if isinstance(error, requests.ConnectTimeout):
                silences += 1
            if _is_final(error) or silences >= policy.connect_attempts:
                raise SourceError(_reason(error)) from None
            raise _PassingError(_reason(error)) from None

    retrying = Retrying(
        stop=stop_after_attempt(policy.attempts),
        wait=lambda state: _wait(state, policy),
        retry=retry_if_exception_type(_PassingError),
        before_sleep=lambda state: _announce(url, state),
        reraise=True,
    )
    try:
        retrying(attempt)
    except _PassingError as fault:
        raise SourceError(f"{fault} (after {policy.attempts} attempts)") from None
    part.replace(target)
    _facts(part).unlink(missing_ok=True)
    return resumed


def discard(target: Path) -> None:
    """Forget a downloaded file and what there is of an unfinished one."""
    part = target.with_name(target.name + ".part")
    for path in (target, part, _facts(part)):
        path.unlink(missing_ok=True)


def _continue(url: str, part: Path, policy: Policy) -> None:
    """One request; appends to ``part`` what it lacks."""
    have, headers = _resume_from(url, part)
    headers["Accept-Encoding"] = "identity"  # otherwise lengths and ranges mean other bytes
    timeout = (policy.connect_timeout, policy.read_timeout)
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code == 416:  # what we have is longer than the file is now
            discard(part.with_name(part.name.removesuffix(".part")))
            raise _PassingError("HTTP 416: the unfinished download does not fit the file any more")
        if answer.status_code == 429 or answer.status_code >= 500:
            retry_after = answer.headers.get("Retry-After", "")
            raise _PassingError(
                _status(answer), float(retry_after) if retry_after.isdigit() else 0.0
            )
        if answer.status_code not in (200, 206):
            raise SourceError(_status(answer))
        if answer.status_code == 200 or _range_start(answer) != have:
            if answer.status_code == 206:
                discard(part.with_name(part.name.removesuffix(".part")))
                raise _PassingError("the server answered with another range than asked for")
            have = 0
            _remember(url, part, answer)
        total = _total(answer, have)
        with part.open("ab" if have else "wb") as sink:
            _copy(answer, sink, have, total, part.name.removesuffix(".part"))
    size = part.stat().st_size
    if total is not None and size != total:
        raise _PassingError(f"the connection ended after {size:,} of {total:,} bytes")


def _copy(answer: requests.Response, sink: Any, have: int, total: int | None, name: str) -> None:
    with tqdm(
        total=total, initial=have, desc=name, unit="B", unit_scale=True, disable=None
    ) as progress:
        for chunk in answer.iter_content(_CHUNK):
            sink.write(chunk)
            progress.update(len(chunk))


def _resume_from(url: str, part: Path) -> tuple[int, dict[str, str]]:
    facts = _facts(part)
    if not (part.exists() and facts.exists()):
        return 0, {}
    known = json.loads(facts.read_text(encoding="utf-8"))
    have = part.stat().st_size
    if known["url"] != url or not known["validator"] or have == 0:
        return 0, {}
    return have, {"Range": f"bytes={have}-", "If-Range": known["validator"]}


def _remember(url: str, part: Path, answer: requests.Response) -> None:
    etag = answer.headers.get("ETag", "")
    if etag.startswith("W/"):  # a weak one does not promise the same bytes
        etag = ""
    validator = etag or answer.headers.get("Last-Modified", "")
    write_json(_facts(part), {"url": url, "validator": validator})


def _facts(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _range_start(answer: requests.Response) -> int | None:
    start = answer.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    return int(start) if start.isdigit() else None


def _total(answer: requests.Response, have: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return have + int(length) if length.isdigit() else None


def _wait(state: RetryCallState, policy: Policy) -> float:
    fault = state.outcome.exception() if state.outcome else None
    retry_after = fault.wait if isinstance(fault, _PassingError) else 0.0
    backoff = policy.first_wait * 2 ** (state.attempt_number - 1)
    return min(max(backoff, retry_after), policy.longest_wait)


def _announce(url: str, state: RetryCallState) -> None:
    fault = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0.0
    log.warning("%s: %s; next attempt in %.0f s", url, fault, pause)


def _is_final(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    if not isinstance(error, requests.ConnectionError | requests.Timeout):
        return not isinstance(error, requests.exceptions.ChunkedEncodingError)
    return any(
        isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _GONE)
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error, what it wraps, and what led to it."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
            waiting.append(cause.__context__)
    return found


def _reason(error: requests.RequestException) -> str:
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return f"the host's name has no address ({cause.strerror})"
        if isinstance(cause, OSError) and cause.errno in _GONE:
            return f"the host cannot be reached ({cause.strerror})"
    if isinstance(error, requests.exceptions.SSLError):
        return f"no secure connection ({causes[-1]})"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy does not let it through ({causes[-1]})"
    if isinstance(error, requests.ConnectTimeout):
        return "the host does not answer (time-out)"
    if isinstance(error, requests.Timeout):
        return "the server stopped answering (time-out)"
    return f"the connection broke off ({causes[-1]})"


def _status(answer: requests.Response) -> str:
    return f"HTTP {answer.status_code} {answer.reason}".strip()
