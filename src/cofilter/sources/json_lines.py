"""JSON lines: one object a line, its keys the columns."""

from __future__ import annotations

import io
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cofilter.core.errors import ConfigError, DataError
from cofilter.sources.cells import Cells
from cofilter.sources.table import RawTable, demand_rows

BLOCK = 65_536  # rows whose values are Python objects at a time
_EXPECTED = "one JSON object a line is expected"
_NOT_UTF8 = "not UTF-8, as JSON is; iconv -f <encoding> -t utf-8 converts it"
_MARK = b"\xef\xbb\xbf"
_FILLED = re.compile(rb"\S[^\n]*")  # from a line's first character that is not blank


class RowError(ValueError):
    """What is wrong with a row."""


def read_json_lines(label: str, content: bytes, columns: Mapping[str, str | int]) -> RawTable:
    """Read ``columns`` (wanted name → key) of a file with one JSON object a line.

    A key with dots that an object does not have names a nested one: ``user.id``. Numbers and
    strings stay what they are; blank lines are no rows; other keys are not looked at.

    Raises
    ------
    DataError
        A line is no object or not UTF-8, lacks a key or has it twice, or a column mixes numbers
        with text.
    """
    keys = keys_of(label, columns)
    content = content.removeprefix(_MARK)
    blank: list[int] = []  # lines that are no rows

    def line(index: int) -> int:
        number = index + 1
        while (after := index + 1 + bisect_right(blank, number)) != number:
            number = after
        return number

    cells = Cells(label, list(columns), keys, lambda index: f"line {line(index)}")
    for block in _blocks(label, content, keys, blank):
        cells.add(block)
    frame = cells.frame()
    demand_rows(label, frame)
    counted = sum(1 for _ in _FILLED.finditer(content))
    skipped = {"blank_line": len(blank)} if blank else {}
    return RawTable(label, frame, line, counted, typed=True, skipped=skipped)


def keys_of(label: str, columns: Mapping[str, str | int]) -> list[str]:
    """The wanted columns' keys; a position is a `ConfigError`."""
    keys = []
    for name, key in columns.items():
        if isinstance(key, int):
            raise ConfigError(
                f"data.columns: {name} is position {key}, but {label} holds JSON, whose columns "
                "have names; set data.has_header=true and name them"
            )
        keys.append(key)
    return keys


def decoder() -> json.JSONDecoder:
    """JSON as the standard has it, a key at most once; what is else is a `RowError`."""
    return json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)


def json_text(label: str, content: bytes) -> str:
    """JSON's text, without a byte order mark; other than UTF-8 is a `DataError`."""
    try:
        return content.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{label}, line {line}: {_NOT_UTF8}") from None


def _blocks(
    label: str, content: bytes, keys: Sequence[str], blank: list[int]
) -> Iterator[list[list[Any]]]:
    decode = decoder().decode
    rows: list[list[Any]] = []
    for number, raw in enumerate(io.BytesIO(content), start=1):
        if raw.isspace():
            blank.append(number)
            continue
        try:
            rows.append(values_of(decode(raw.decode("utf-8")), keys, _EXPECTED))
        except UnicodeDecodeError:
            raise DataError(f"{label}, line {number}: {_NOT_UTF8}") from None
        except json.JSONDecodeError as error:
            raise DataError(
                f"{label}, line {number}: not JSON ({error.msg}, column {error.colno}); {_EXPECTED}"
            ) from None
        except RecursionError:
            raise DataError(f"{label}, line {number}: nested too deeply; {_EXPECTED}") from None
        except ValueError as error:
            raise DataError(f"{label}, line {number}: {error}") from None
        if len(rows) == BLOCK:
            yield rows
            rows = []
    yield rows


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise RowError(f"the key {twice[:40]} is there twice; each once is expected")
    return found


def _refuse_constant(text: str) -> None:
    raise RowError(f"{text} is no JSON; a number or null is expected")


def values_of(row: Any, keys: Sequence[str], expected: str) -> list[Any]:
    """The values of an object's keys; a key with dots may name a nested one."""
    if type(row) is not dict:
        raise RowError(f"{str(row)[:60]} is no object; {expected}")
    try:
        return [row[key] for key in keys]
    except KeyError:
        return [_nested(row, key) for key in keys]


def _nested(row: dict[str, Any], key: str) -> Any:
    if key in row:
        return row[key]
    value: Any = row
    for step in key.split("."):
        if not isinstance(value, dict) or step not in value:
            shown = ", ".join(name[:40] for name in list(row)[:20])
            raise RowError(f"no key {key} (the keys are: {shown}); {_remedy(row)}")
        value = value[step]
    return value


def _remedy(row: dict[str, Any]) -> str:
    rows = next((name for name, value in row.items() if is_rows(value)), None)
    if rows is None:
        return "data.columns names them"
    return (
        f"the rows seem to be in {rows[:40]}: jq '.\"{rows[:40]}\"' FILE > rows.json takes them out"
    )


def is_rows(value: Any) -> bool:
    """Whether a value of an object holds a table's rows itself."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
