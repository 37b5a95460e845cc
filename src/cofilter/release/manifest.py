"""A folder's list of files with size and SHA-256, by which a half-written or damaged one shows."""

from __future__ import annotations

from pathlib import Path

from cofilter.core.errors import DataError
from cofilter.core.io import file_sha256, read_json, write_json

MANIFEST = "manifest.json"


def write_manifest(folder: Path) -> None:
    """List all other files of a folder; written last, so that it stands for the whole."""
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    write_json(folder / MANIFEST, files)


def verify_manifest(folder: Path) -> None:
    """Compare a folder with its list.

    Raises
    ------
    DataError
        A file is missing, too many, of another size or of other content.
    """
    if not (folder / MANIFEST).is_file():
        raise DataError(f"{folder / MANIFEST}: missing, so the folder is half copied")
    listed = read_json(folder / MANIFEST)
    if not (isinstance(listed, dict) and all(map(_is_entry, listed.values()))):
        raise DataError(f"{folder / MANIFEST}: not a list of files; export the model again")
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    for name, expected in listed.items():
        if name not in there:
            raise DataError(f"{folder / name}: missing; export the model again")
        path = there[name]
        if path.stat().st_size != expected["bytes"] or file_sha256(path) != expected["sha256"]:
            raise DataError(f"{path}: damaged or half written; export the model again")
    foreign = sorted(there.keys() - listed.keys())
    if foreign:
        raise DataError(f"{folder / foreign[0]}: not in {MANIFEST}; export the model again")


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and {"bytes", "sha256"} <= value.keys()
