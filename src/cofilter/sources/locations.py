"""What ``data.path`` names: a file, a folder, a glob, a web address or a database."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from cofilter.core.errors import SourceError

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_WEB = ("http", "https")
_SPECIAL = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
NO_FILE = "data/README.md"  # never changes: what DVC tracks where no local file is read


def is_web(path: str) -> bool:
    """Whether a path is an http or https address."""
    return _scheme(path) in _WEB


def is_database(path: str) -> bool:
    """Whether a path is an SQLAlchemy URL."""
    return _scheme(path) not in (None, *_WEB)


def is_glob(path: str) -> bool:
    """Whether a path stands for several files by ``*``, ``?`` or ``[…]``."""
    return _scheme(path) is None and any(letter in path for letter in "*?[")


def tracked_path(path: str | None) -> str:
    """The local file or folder that DVC is to watch for ``data.path``.

    Of a glob the folder before its first wildcard, so that a new file that it matches is noticed;
    of an SQLite URL the database. Of an address or a server a file that never changes: DVC would
    ask the network at each run.
    """
    if path is None:
        return NO_FILE
    if path.startswith("sqlite:///"):
        return path.removeprefix("sqlite:///").partition("?")[0]
    if _scheme(path) is not None:
        return NO_FILE
    if is_glob(path):
        return str(glob_root(path))
    return path


def local_path(path: str, downloads: Path) -> Path:
    """The file or folder in which the files of ``data.path`` lie, those of an address kept."""
    if is_web(path):
        return downloads
    return glob_root(path) if is_glob(path) else Path(path)


def glob_root(path: str) -> Path:
    """The folder before a glob's first wildcard."""
    parts = Path(path).parts
    first = next(index for index, part in enumerate(parts) if is_glob(part))
    return Path(*parts[:first])


def matching(pattern: str, base: Path) -> list[Path]:
    """The files that a glob matches, sorted; hidden ones and those in hidden folders are left out.

    Raises `SourceError` when there is none.
    """
    root = glob_root(pattern)
    rest = str(Path(pattern).relative_to(root))
    folder = base / root
    found = [path for path in folder.glob(rest) if path.is_file() and not _aside(path, folder)]
    if not found:
        raise SourceError(f"{pattern}: no file matches (in the folder {folder})")
    return sorted(found)


def table_files(folder: Path, given: str) -> list[Path]:
    """The files right in a folder, sorted, without hidden ones and those that begin with ``_``.

    Raises
    ------
    SourceError
        There is none, or folders lie beside them, such as Hive's ``year=2024``.
    """
    inside = [path for path in sorted(folder.iterdir()) if not _aside(path, folder)]
    folders = [path.name for path in inside if path.is_dir()]
    if folders:
        raise SourceError(
            f"{given}: holds folders ({', '.join(folders[:5])}), and only a folder's own files are "
            f"read; take them all with data.path='{given.rstrip('/')}/*/*' (columns that only "
            "folders' names have, such as Hive's year=2024, are not among a file's)"
        )
    if not inside:
        raise SourceError(f"{given}: the folder holds no file")
    return inside


def refuse_special(path: Path, label: str) -> None:
    """Raise `SourceError` for a pipe, socket or device, which might never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(f"{label}: cannot be read ({error.strerror})") from None
    for test, name in _SPECIAL.items():
        if test(mode):
            raise SourceError(f"{label}: is {name}; a file with its content is expected")


def _aside(path: Path, root: Path) -> bool:
    """Hidden, written by Spark (``_SUCCESS``) or by ``dvc add``."""
    parts = path.relative_to(root).parts
    return any(part.startswith((".", "_")) for part in parts) or path.suffix == ".dvc"


def _scheme(path: str) -> str | None:
    found = _SCHEME.match(path)
    return found[1].lower() if found else None
