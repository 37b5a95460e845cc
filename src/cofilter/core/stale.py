"""Files that nothing needs any more, with the reason."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stale:
    """A file or a folder that may go.

    Attributes
    ----------
    why:
        What makes it superfluous, in a few words.
    """

    path: Path
    why: str

    @property
    def size(self) -> int:
        """Bytes of the file, or of all files in the folder."""
        return size_of(self.path)

    def remove(self) -> None:
        """Delete it; one that is gone already is no error."""
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; links count nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())
