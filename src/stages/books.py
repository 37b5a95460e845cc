"""The last whole `dvc.lock`: DVC writes the file in place, and a kill meanwhile leaves it cut.

Every later command of DVC's then ends with "validation failed". What stages did between the copy
and the kill is not lost: DVC's run cache has it.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from cofilter.core.errors import DataError
from cofilter.core.io import write_bytes
from stages.messages import restored

LOCK = Path("dvc.lock")
KEPT = Path(".dvc/tmp/dvc.lock.whole")


def see_to_the_lock() -> None:
    """Keep a copy of `dvc.lock` when it is whole; otherwise put the copy back, and say so.

    Raises
    ------
    DataError
        It is cut, and there is no whole copy.
    """
    content = _whole(LOCK)
    if content is not None:
        if not KEPT.exists() or KEPT.read_bytes() != content:
            write_bytes(KEPT, content)
        return
    if not LOCK.exists():
        return
    kept = _whole(KEPT)
    if kept is None:
        raise DataError(f"{LOCK}: cut short or damaged; `git checkout {LOCK}` brings it back")
    write_bytes(LOCK, kept)
    restored(LOCK)


def _whole(path: Path) -> bytes | None:
    """A file's content where DVC would read it and its last line has an end.

    What is cut between two lines, and is a lock file all the same, lacks stages; DVC sees that.
    """
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            return None
        COMPILED_LOCKFILE_SCHEMA(yaml.load(content, yaml.CSafeLoader))
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError, Invalid):
        return None
    return content
