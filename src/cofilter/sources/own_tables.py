"""Ratings of one's own, wherever ``data.path`` finds them, as raw tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cofilter.core.columns import ITEM, PART, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import ConfigError, DataError, SourceError
from cofilter.sources.config import DataConfig
from cofilter.sources.database import read_query
from cofilter.sources.delimited import TextFormat
from cofilter.sources.encoding import as_utf8
from cofilter.sources.files import Member, describe, open_file
from cofilter.sources.forms import TEXT, WORKBOOK, form_of, read_form
from cofilter.sources.item_lists import read_item_lists
from cofilter.sources.locations import (
    is_database,
    is_glob,
    is_web,
    matching,
    refuse_special,
    table_files,
)
from cofilter.sources.matrix import MatrixForm, read_matrix
from cofilter.sources.published import is_published, part_files
from cofilter.sources.table import RawTable, below_each_other
from cofilter.sources.unpack import unpacked
from cofilter.sources.web import fetch_file, public_url
from cofilter.sources.workbook import workbook_text

_KEYS = {
    USER: "user",
    ITEM: "item",
    RATING: "rating",
    TIMESTAMP: "timestamp",
    WEIGHT: "weight",
    PART: "part",
}


@dataclass(frozen=True)
class OwnTables:
    """Tables by part (under "" one that is no part), their files as read, and where from."""

    origin: str
    files: list[dict[str, Any]]
    tables: dict[str, RawTable]


def own_tables(config: DataConfig, text: TextFormat, base: Path, downloads: Path) -> OwnTables:
    """Read the ratings that ``data.path`` names: a file, folder, glob, address or query.

    Parameters
    ----------
    text:
        How text is written; a delimiter of "" stands for any run of blanks and tabs.
    base, downloads:
        Folders that a relative path starts from, and that downloads are kept in.

    Raises
    ------
    SourceError, DataError, ConfigError
        In one line: what was found, what was expected, and the key that settles it.
    """
    if config.path is None:
        raise SourceError(f"{config.name}: which file? Give it with data.path=<file>")
    columns = _columns(config)
    if config.kind == "sql":
        if config.query is None:
            raise SourceError(f"{config.name}: which rows? Give them with data.query='select …'")
        table = read_query(config.path, config.query, columns, base)
        return OwnTables(table.label, [], {"": table})
    if is_database(config.path):
        scheme = config.path.partition("://")[0]
        raise ConfigError(
            f"data.path: {scheme}://… is no file and no http(s) address; a database is read by "
            "data=sql with data.query='select …', and what lies in a store is copied here first"
        )
    files: list[dict[str, Any]] = []
    tables = {}
    for part, members in members_of(config.path, config.sha256, base, downloads).items():
        if PART in columns and part:
            raise ConfigError(
                f"data.columns.part: {columns[PART]}, but data.path={config.path} is a folder, "
                "whose files' names say the part; null is expected"
            )
        tables[part] = _one_table(config, members, text, columns, files)
    origin = public_url(config.path) if is_web(config.path) else config.path
    return OwnTables(origin, files, tables)


def _columns(config: DataConfig) -> dict[str, str | int]:
    given = config.columns.model_dump() if config.columns is not None else {}
    return {name: given[key] for name, key in _KEYS.items() if given.get(key) is not None}


def members_of(
    given: str, sha256: str | None, base: Path, downloads: Path
) -> Mapping[str, list[Member]]:
    """The files that a path, glob or address names, by part; under "" those of one table."""
    if is_web(given):
        path = fetch_file(given, sha256, downloads)
        return {"": [open_file(path, public_url(given))]}
    path = base / given
    refuse_special(path, given)
    if path.is_dir():
        if is_published(path, given):
            return {part: [member] for part, member in part_files(path, given).items()}
        files = table_files(path, given)
        return {"": [open_file(file, f"{given.rstrip('/')}/{file.name}") for file in files]}
    if is_glob(given) and not path.exists():
        return {"": [open_file(file, _below(file, base)) for file in matching(given, base)]}
    return {"": [open_file(path, given)]}


def _below(file: Path, base: Path) -> str:
    return str(file.relative_to(base)) if file.is_relative_to(base) else str(file)


def _one_table(
    config: DataConfig,
    members: Sequence[Member],
    text: TextFormat,
    columns: Mapping[str, str | int],
    files: list[dict[str, Any]],
) -> RawTable:
    """The rows of all files, of which one at a time is in memory; tells ``files`` what they are."""
    assert config.path is not None
    if len(members) > 1 and config.kind in ("matrix", "baskets") and USER not in columns:
        raise DataError(
            f"{config.path}: {len(members)} files, and a line's number would be the user in each; "
            "one file is expected, or data.columns.user"
        )
    tables: list[RawTable] = []
    of_first = ""
    for member in members:
        content = member.read()
        files.append(describe(member, content))
        name, content = unpacked(member.label, member.name, content, config.member)
        named = replace(member, name=name)
        form = form_of(member.label, name, content)
        of_first = of_first or form
        if form != of_first:
            raise DataError(
                f"{member.label}: is {form}, but {members[0].label} is {of_first}; files of one "
                "table have one form (data.path takes a glob, such as 'logs/*.csv')"
            )
        table = _of_content(config, named, content, text, columns)
        if len(members) > 1:  # a text's lines are found in the text, which is let go of
            table = replace(table, line=_again(config, member, text, columns))
        tables.append(table)
    return below_each_other(config.path, tables)


def _again(
    config: DataConfig, member: Member, text: TextFormat, columns: Mapping[str, str | int]
) -> Callable[[int], int]:
    """The lines of a file's rows, for which it is read once more."""

    def line(index: int) -> int:
        name, content = unpacked(member.label, member.name, member.read(), config.member)
        return _of_content(config, replace(member, name=name), content, text, columns).line(index)

    return line


def _of_content(
    config: DataConfig,
    member: Member,
    content: bytes,
    text: TextFormat,
    columns: Mapping[str, str | int],
) -> RawTable:
    if config.kind == "csv":
        return read_form(member, content, text, columns, config.member)
    form = form_of(member.label, member.name, content)
    if form == WORKBOOK:
        content = workbook_text(member.label, content, config.member)
        text = replace(text, delimiter=",", quote='"')
    elif form == TEXT:
        content = as_utf8(member.label, content, text.encoding)
    else:
        raise DataError(f"{member.label}: is {form}; text is expected for kind {config.kind}")
    if config.kind == "matrix":
        user = config.columns.user if config.columns else None
        skipped, decimal = config.skip_columns or 0, config.decimal or "."
        matrix = MatrixForm(skipped, user, config.not_rated, decimal)
        return read_matrix(member.label, content, text, matrix)
    return read_item_lists(member.label, content, text, config.kind == "adjacency")
