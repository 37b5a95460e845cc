"""A file of one's own at an address: downloaded once, kept, and checked."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from urllib.parse import urlsplit

from cofilter.core.errors import ConfigError, SourceError
from cofilter.core.io import file_sha256, write_text
from cofilter.sources.download import POLICY, Policy, discard, fetch

log = logging.getLogger(__name__)


def public_url(url: str) -> str:
    """An address without what may be secret: its query; a user's name and password are refused."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"data.path: {parts.scheme}://…@{parts.hostname}: a user or password does not belong "
            "there, since params.yaml, dvc.lock and W&B keep it; write it in ~/.netrc"
        )
    return parts._replace(query="", fragment="").geturl()


def fetch_file(url: str, sha256: str | None, downloads: Path, policy: Policy = POLICY) -> Path:
    """The file at ``url``, from ``downloads`` when it is kept there and unchanged.

    Without ``sha256`` the checksum of the first download is recorded beside the file and told.

    Raises
    ------
    SourceError
        It cannot be had, or has another checksum; the address is in the message without its query.
    """
    public = public_url(url)
    name = Path(urlsplit(url).path).name or "download"
    path = downloads / hashlib.sha256(url.encode()).hexdigest()[:8] / name
    record = path.with_name(f"{path.name}.sha256")
    if path.exists() and record.exists():
        expected = sha256 or record.read_text(encoding="utf-8").strip()
        if file_sha256(path) == expected:
            log.info("%s: the kept copy is read; delete %s to fetch it again", public, path)
            return path
        log.warning("%s: the kept copy has another checksum; it is fetched again", public)
        discard(path)
    try:
        fetch(url, path, policy)
    except SourceError as error:
        raise SourceError(f"{public}: {error}") from None
    found = file_sha256(path)
    if sha256 is not None and found != sha256:
        discard(path)
        raise SourceError(
            f"{public}: wrong checksum: data.sha256 {sha256} is expected, not {found}"
        )
    if sha256 is None:
        log.info("%s: data.sha256=%s holds later downloads to this content", public, found)
    write_text(record, found + "\n")
    return path
