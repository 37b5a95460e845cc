"""Files of a source, whether they lie in a folder, in an archive or alone."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofilter.core.errors import DataError, SourceError
from cofilter.core.io import file_sha256
from cofilter.sources.kinds import what_is
from cofilter.sources.unpack import demand_free


@dataclass(frozen=True)
class Member:
    """One readable file; ``label`` names it in messages, ``name`` is its last path part."""

    label: str
    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Bundle:
    """The files of a folder or archive by their path inside it."""

    label: str
    members: dict[str, Member]
    archive: Path | None

    def get(self, inside: str) -> Member:
        """The file at that path; a missing one is a `DataError` that lists what there is."""
        if inside not in self.members:
            raise DataError(f"{self.label}: no member {inside} (there are: {self.listing()})")
        return self.members[inside]

    def find(self, name: str) -> Member | None:
        """The file with that last path part, however the folder around it is called."""
        found = [inside for inside in self.members if inside.rsplit("/", 1)[-1] == name]
        if not found:
            return None
        found.sort(key=lambda inside: (inside.count("/"), inside))
        if len(found) > 1 and found[0].count("/") == found[1].count("/"):
            raise DataError(f"{self.label}: {name} is there more than once: {', '.join(found)}")
        return self.members[found[0]]

    def listing(self, limit: int = 12) -> str:
        """The paths inside, shortened, for messages."""
        names = sorted(self.members)
        more = f", and {len(names) - limit} more" if len(names) > limit else ""
        return (", ".join(names[:limit]) + more) or "none"

    def describe(self, read: list[tuple[Member, bytes]]) -> list[dict[str, Any]]:
        """Name, SHA-256 and size of the archive, or of the files read when there is none."""
        if self.archive is not None:
            size = self.archive.stat().st_size
            digest = file_sha256(self.archive)
            return [{"name": self.archive.name, "sha256": digest, "bytes": size}]
        return [describe(member, content) for member, content in read]


def describe(member: Member, content: bytes) -> dict[str, Any]:
    """Name, SHA-256 and size of a file that was read."""
    digest = hashlib.sha256(content).hexdigest()
    return {"name": member.name, "sha256": digest, "bytes": len(content)}


def open_file(path: Path, label: str) -> Member:
    """A file on its own; raises `SourceError` when it does not exist or is a folder."""
    if path.is_dir():
        raise SourceError(f"{label}: is a folder; a file is expected")
    if not path.is_file():
        raise SourceError(f"{label}: no such file")
    return Member(label, path.name, lambda: _read_path(path, label))


def open_bundle(path: Path, label: str) -> Bundle:
    """The files of a folder (and of the folders right inside it) or of a zip archive."""
    if path.is_dir():
        return Bundle(label, dict(_in_folder(path, label)), None)
    if not path.exists():
        raise SourceError(f"{label}: no such file or folder")
    return Bundle(label, dict(_in_zip(path, label)), path)


def _in_folder(folder: Path, label: str) -> list[tuple[str, Member]]:
    found = sorted(path for path in [*folder.glob("*"), *folder.glob("*/*")] if path.is_file())
    members = []
    for path in found:
        inside = path.relative_to(folder).as_posix()
        members.append((inside, open_file(path, f"{label.rstrip('/')}/{inside}")))
    return members


def _in_zip(path: Path, label: str) -> list[tuple[str, Member]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except zipfile.BadZipFile:
        raise DataError(f"{label}: {_why_no_zip(path)}") from None
    except OSError as error:
        raise SourceError(f"{label}: cannot be read ({error.strerror})") from None
    return [(name, _zip_member(path, label, name)) for name in names]


def _zip_member(path: Path, label: str, name: str) -> Member:
    where = f"{label}: {name}"

    def read() -> bytes:
        try:
            with zipfile.ZipFile(path) as archive:
                demand_free(where, archive.getinfo(name).file_size)  # it gives no more than that
                return archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise DataError(f"{where}: the archive is damaged ({error})") from None
        except (RuntimeError, NotImplementedError) as error:  # encrypted, unknown compression
            raise DataError(f"{where}: cannot be unpacked ({error})") from None

    return Member(where, name.rsplit("/", 1)[-1], read)


def _why_no_zip(path: Path) -> str:
    with path.open("rb") as source:
        head = source.read(1024)
    if not head:
        return "is empty; a zip archive is expected"
    if head.startswith(b"PK\x03\x04"):
        return "the zip archive is truncated or damaged (its list of members is missing)"
    return f"is {what_is(head) or 'a text file'}, not a zip archive"


def _read_path(path: Path, label: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{label}: cannot be read ({error.strerror})") from None
