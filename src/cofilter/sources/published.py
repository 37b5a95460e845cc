"""A published split in a folder: one file a part, brought to one table that says the part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from cofilter.core.columns import ITEM, PART, USER
from cofilter.core.errors import DataError
from cofilter.core.parts import PARTS
from cofilter.sources.files import Member, open_bundle
from cofilter.sources.ids import same_kind
from cofilter.sources.ratings import Checked
from cofilter.sources.table import RawTable

_NEEDED = ("train", "test")
_OTHER_NAMES = ("valid", "val", "dev", "eval")  # of validation, in other people's folders
_NOT_DATA = (".dvc",)  # train.csv.dvc, which `dvc add` writes


def is_published(folder: Path, label: str) -> bool:
    """Whether a folder has a file ``train.*`` or ``test.*``, so that its files are parts."""
    return any(
        "/" not in inside and inside.partition(".")[0] in _NEEDED
        for inside in open_bundle(folder, label).members
    )


def part_files(folder: Path, label: str) -> dict[str, Member]:
    """The files ``train.*``, ``validation.*`` (may be absent) and ``test.*`` right in a folder.

    Other files are left alone, but for one that looks like validation while there is none.

    Raises
    ------
    DataError
        Train or test is missing, or a part has two files; the line names the files.
    """
    bundle = open_bundle(folder, label)
    stems: dict[str, list[Member]] = {}
    for inside, member in sorted(bundle.members.items()):
        if "/" not in inside and not inside.endswith(_NOT_DATA):
            stems.setdefault(inside.partition(".")[0], []).append(member)
    twice = next((stems[part] for part in PARTS if len(stems.get(part, [])) > 1), None)
    if twice is not None:
        names = " and ".join(member.name for member in twice)
        raise DataError(f"{label}: {names} are the same part; leave one of them there")
    missing = [f"{part}.*" for part in _NEEDED if part not in stems]
    if missing:
        raise DataError(
            f"{label}: no {' and no '.join(missing)}; a folder is a published split of train.*, "
            f"test.* and perhaps validation.* (there are: {bundle.listing()})"
        )
    other = [stems[name][0].name for name in _OTHER_NAMES if name in stems]
    if other and "validation" not in stems:
        raise DataError(
            f"{label}: {other[0]} is none of train.*, validation.* and test.*, and names are not "
            "guessed; call it validation.*, or take it out to have a slice of train for validation"
        )
    return {part: stems[part][0] for part in PARTS if part in stems}


def in_one_table(raw: Mapping[str, RawTable], checked: Sequence[Checked]) -> Checked:
    """The parts' rows below each other, with the column ``part``.

    Parameters
    ----------
    raw, checked:
        The files by part, and what `check_ratings` gave for each, in the same order.

    Returns
    -------
    ``table`` has ids of one type (strings when one file's are) in all its rows; ``skipped`` is the
    files' sum.
    """
    tables = []
    for (part, file), found in zip(raw.items(), checked, strict=True):
        ids = [
            same_kind(file.label, found.table[name], keep_text=file.typed)[0]
            for name in (USER, ITEM)
        ]
        tables.append(found.table.with_columns(*ids, pl.lit(part).alias(PART)))
    for name in (USER, ITEM):
        if any(table.schema[name] == pl.String for table in tables):
            tables = [table.with_columns(pl.col(name).cast(pl.String)) for table in tables]
    skipped: Counter[str] = Counter()
    for found in checked:
        skipped.update(found.skipped)  # keeps reasons that no row has
    return Checked(pl.concat(tables), dict(skipped))
