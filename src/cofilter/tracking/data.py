"""Data that a run reads or writes, named by the checksums of its files and never copied.

A stage describes it before it ends, since DVC may move the files to its cache afterwards.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

DATASET, MODEL = "dataset", "model"


class Entry(NamedTuple):
    """One file: its place in the artifact, where it lies, MD5 in base64 as W&B writes it, bytes."""

    name: str
    uri: str
    md5: str
    size: int


class Data(NamedTuple):
    """What becomes an artifact: files of one content have one digest, wherever they lie."""

    name: str
    type: str
    entries: tuple[Entry, ...]


def data_of(name: str, type: str, paths: Iterable[Path]) -> Data:
    """Read the checksums of files, and of all files in folders.

    Parameters
    ----------
    name:
        Letters, digits, ``-``, ``_`` and ``.``; artifacts of one name are its versions.
    paths:
        A file is called by its name, a file in a folder by its path from there.

    Raises
    ------
    OSError
        A file is missing.
    """
    return Data(name, type, tuple(_entries(paths)))


def _entries(paths: Iterable[Path]) -> Iterator[Entry]:
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        top = path if path.is_dir() else path.parent
        for file in files:
            if not file.is_dir():
                yield _entry(file.relative_to(top).as_posix(), file)


def _entry(name: str, file: Path) -> Entry:
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).digest()
    uri = file.resolve().as_uri()
    return Entry(name, uri, base64.b64encode(digest).decode(), file.stat().st_size)
