"""An owner's file read as it is proposed, so that a person can say whether that is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cofilter.core.columns import RATING
from cofilter.core.config import parse
from cofilter.core.feedback import Feedback
from cofilter.core.paths import DOWNLOADS
from cofilter.onboarding.beside import titles_beside
from cofilter.onboarding.proposal import (
    Form,
    Roles,
    decimal_of,
    form_of,
    roles_of,
    scale_of,
    time_form_of,
)
from cofilter.sources.config import DataConfig
from cofilter.sources.delimited import TextFormat
from cofilter.sources.encoding import as_utf8, marked
from cofilter.sources.files import Member
from cofilter.sources.forms import JSON_LINES, JSON_VALUES, TEXT, read_form
from cofilter.sources.forms import form_of as file_form
from cofilter.sources.json_lines import is_rows, json_text
from cofilter.sources.json_values import objects
from cofilter.sources.kinds import first_line
from cofilter.sources.own_tables import members_of
from cofilter.sources.source import Obtained, obtain
from cofilter.sources.unpack import unpacked

Tree = dict[str, Any]
TABLE = "csv"  # the kind of one row an event
UTF8, LATIN = "utf-8", "cp1252"


@dataclass(frozen=True)
class Understood:
    """A file as it was understood.

    Attributes
    ----------
    changes:
        Keys of the group ``data`` that differ from the kind's option.
    obtained:
        The whole file, every row checked.
    feedback:
        What its numbers are.
    notes:
        What was told by content or order alone, and what looks wrong; one line each.
    """

    changes: Tree
    obtained: Obtained
    feedback: Feedback
    notes: list[str]


def understand(
    path: str, defaults: Mapping[str, Any], said: Mapping[str, Any], base: Path
) -> Understood:
    """Propose the form, the columns, the scale and the kind of a file, and read it so.

    Parameters
    ----------
    path:
        The file; relative to ``base``.
    defaults:
        The group ``data`` as the option of the file's kind has it; only of a table are form and
        columns proposed.
    said:
        Keys of it that the owner has said by hand; they are taken as they are.

    Raises
    ------
    SourceError, DataError, ConfigError
        It cannot be read so; the line names the key that settles it.
    """
    changes, notes = _form(path, said, base) if defaults["kind"] == TABLE else ({}, [])
    changes = merged(changes, said)
    read = merged(defaults, {"path": path} | changes)
    obtained = obtain(parse(DataConfig, read, "data"), base / DOWNLOADS, base)
    feedback, scale, threshold = scale_of(obtained.ratings[RATING].to_numpy())
    found = {"scale": scale, "relevance_threshold": threshold}
    notes += obtained.report["warnings"]
    if feedback == "counts" and obtained.report["duplicate_pairs"]:
        notes.append(
            f"{obtained.report['duplicate_pairs']:,} rows repeat a pair; split.duplicates: sum in "
            "conf/split/ adds up what they say and nets returns"
        )
    return Understood(merged({"path": path} | found, changes), obtained, feedback, notes)


def _form(path: str, said: Mapping[str, Any], base: Path) -> tuple[Tree, list[str]]:
    """Keys that say how the first file of a table is written, and notes on them."""
    members = members_of(path, said.get("sha256"), base, base / DOWNLOADS)
    first = next(iter(members.values()))[0]
    name, content = unpacked(first.label, first.name, first.read(), said.get("member"))
    notes: list[str] = []
    if file_form(first.label, name, content) == TEXT:
        encoding = said.get("encoding") or _encoding(content)
        text = as_utf8(first.label, content, encoding).decode()
        form = form_of(first.label, text, said.get("delimiter"))
        changes = {"delimiter": form.delimiter, "has_header": form.has_header, "encoding": encoding}
        if encoding == LATIN and "encoding" not in said:
            notes.append(f"it is not UTF-8; read as {LATIN} (data.encoding says otherwise)")
    else:
        form = Form(",", True, _names(first, name, content, said.get("member")), ())
        changes = {}
    roles = roles_of(first.label, form)
    columns = {name: getattr(roles, name) for name in ("user", "item", "rating", "timestamp")}
    named = said.get("columns", {})
    if form.rows:
        changes |= _spelling(form, columns | named, said, notes)
    notes += _left_out(form, columns | named)
    notes += [_guess(role, roles) for role in roles.guessed if role not in named]
    item = named.get("item", columns["item"])
    titles = titles_beside(path, item, str(changes.get("encoding", UTF8)), base)
    if titles and "items" not in said:
        notes.append(f"titles are those of {titles['path']} (data.items.path=null takes none)")
        changes["items"] = titles
    return {**changes, "columns": columns}, notes


def _spelling(form: Form, columns: Tree, said: Mapping[str, Any], notes: list[str]) -> Tree:
    """How numbers and times of a text are written, where it is not as most write them."""
    found = {}
    decimal, time = decimal_of(_column(form, columns["rating"])), "auto"
    if decimal != "." and "decimal" not in said:
        found["decimal"] = decimal
        notes.append('numbers have decimal commas (data.decimal="." says otherwise)')
    if columns["timestamp"] is not None:
        time = time_form_of(_column(form, columns["timestamp"]))
    if time != "auto" and "timestamp_format" not in said:
        found["timestamp_format"] = time
        notes.append(f'times are read as "{time}" (data.timestamp_format says otherwise)')
    return found


def _column(form: Form, column: str | int | None) -> list[str]:
    """The first rows of a column; empty where it is not there."""
    if column is None or str(column) not in form.names:
        return []
    at = form.names.index(str(column))
    return [row[at].strip() for row in form.rows if len(row) > at]


def _left_out(form: Form, columns: Tree) -> list[str]:
    """A line that names the columns without a role, which may be what matters."""
    taken = {str(column) for column in columns.values()}
    rest = [name or f"column {at}" for at, name in enumerate(form.names, 1) if name not in taken]
    if not form.has_header or not rest:
        return []
    more = f" and {len(rest) - 8} more" if len(rest) > 8 else ""
    return [f"not used: {', '.join(name[:40] for name in rest[:8])}{more}"]


def _encoding(content: bytes) -> str:
    """UTF-8 where that fits or a mark says another, otherwise Latin-1 as Windows has it."""
    if marked(content):
        return UTF8
    try:
        content.decode(UTF8)
    except UnicodeDecodeError:
        return LATIN
    return UTF8


def _names(first: Member, name: str, content: bytes, sheet: str | None) -> tuple[str, ...]:
    """Names of the columns of a form that is not text."""
    member, text = replace(first, name=name), TextFormat(",", True)
    form = file_form(first.label, name, content)
    if form not in (JSON_LINES, JSON_VALUES):
        return read_form(member, content, text, {"first": 1}, sheet).header
    start = first_line(content) if form == JSON_LINES else content
    record = next(objects(first.label, json_text(first.label, start)), None)
    # The reader says what is wrong with what is no object, or has the rows within.
    if not isinstance(record, Mapping) or any(map(is_rows, record.values())):
        return read_form(member, content, text, {"first": "user_id"}, sheet).header
    return tuple(_keys(record))


def _keys(record: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def _guess(role: str, roles: Roles) -> str:
    column = getattr(roles, role)
    where = f"column {column}" if isinstance(column, int) else f'column "{column}"'
    return f"{where} is taken as {role} by what it holds (data.columns.{role} says otherwise)"


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Tree:
    """``above`` laid over ``below``, mappings key by key."""
    out = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = merged(out[key], value) if both else value
    return out
