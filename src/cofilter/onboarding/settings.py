"""An owner's data in conf/: a file of the group ``data``, and the options that are default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cofilter.core.columns import PART, TIMESTAMP
from cofilter.core.errors import ConfigError
from cofilter.core.io import write_text
from cofilter.onboarding.understand import TABLE

MARK = "# As `make own` understood it"
GIVEN, TIMED, UNTIMED = "given", "global_temporal", "user_random"  # options of group split
NEED_TIMES = (TIMED, "user_temporal", "leave_last_out")
KINDS = (TABLE, "matrix", "adjacency", "baskets", "sql")  # and options whose keys a file changes


def name_of(path: Path) -> str:
    """A file's name as the name of its data: letters, digits and ``_``."""
    return re.sub(r"[^a-z0-9]+", "_", path.name.partition(".")[0].lower()).strip("_") or "own"


def default_of(conf: Path, group: str) -> str:
    """The option of a group that conf/config.yaml names.

    Raises
    ------
    ConfigError
        It names none.
    """
    found = _line(group).search((conf / "config.yaml").read_text(encoding="utf-8"))
    if found is None:
        raise ConfigError(f"conf/config.yaml: no line `- {group}: …` among its defaults")
    return found[2]


def make_default(conf: Path, group: str, option: str) -> None:
    """Have conf/config.yaml name another option of a group; the rest of the file stays."""
    default_of(conf, group)
    file = conf / "config.yaml"
    text = file.read_text(encoding="utf-8")
    write_text(file, _line(group).sub(rf"\g<1>{option}\g<3>", text, count=1))


def split_for(ratings: pd.DataFrame, present: str, *, new: bool) -> str:
    """The option of group ``split`` for some data: the ``present`` one where it is possible.

    A published split is taken as it is, and data without times take no split that needs them. What
    earlier data without parts or times had forced is taken back for ``new`` data that have times.
    """
    if PART in ratings:
        return GIVEN
    if TIMESTAMP not in ratings:
        return UNTIMED if present in (GIVEN, *NEED_TIMES) else present
    return TIMED if present == GIVEN or (new and present == UNTIMED) else present


def defaults(conf: Path, kind: str = TABLE) -> dict[str, Any]:
    """The group ``data`` as the option of that name has it.

    Raises
    ------
    ConfigError
        There is none for a kind of file.
    """
    if kind not in KINDS:
        raise ConfigError(f"data.kind: {kind!r} is none of {', '.join(KINDS)}")
    return _read(conf / "data" / f"{kind}.yaml")


def written(conf: Path, name: str) -> dict[str, Any] | None:
    """What `write` wrote of these data; None where it wrote nothing.

    Raises
    ------
    ConfigError
        The file is somebody else's.
    """
    file = _file(conf, name)
    if not file.exists():
        return None
    if not file.read_text(encoding="utf-8").startswith(MARK):
        raise ConfigError(f"conf/data/{name}.yaml is not written by `make own`; take another NAME")
    tree = _read(file)
    base, _ = tree.pop("defaults")
    tree.pop("name")
    return {"kind": base, **tree}


def write(conf: Path, name: str, kind: str, changes: Mapping[str, Any]) -> None:
    """Write conf/data/``name``.yaml: the option of that kind with these keys changed."""
    tree = {"defaults": [kind, "_self_"], "name": name, **changes}
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    write_text(_file(conf, name), f"{MARK}; conf/data/{kind}.yaml explains the keys.\n{text}")


def _file(conf: Path, name: str) -> Path:
    return conf / "data" / f"{name}.yaml"


def _line(group: str) -> re.Pattern[str]:
    return re.compile(rf"^(  - {group}: )(\S+)(.*)$", re.MULTILINE)


def _read(path: Path) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tree
