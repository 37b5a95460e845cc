"""JSON lines: one object a line, its keys the columns."""

from __future__ import annotations

import io
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cofilter.core.errors import ConfigError, DataError
from cofilter.sources.cells import Cells
from cofilter.sources.table import RawTable, demand_rows

_BLOCK = 65_536  # lines whose values are Python objects at a time
_EXPECTED = "one JSON object a line is expected"


class _RowError(ValueError):
    """What is wrong with a line."""


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
    keys = []
    for name, key in columns.items():
        if isinstance(key, int):
            raise ConfigError(
                f"data.columns: {name} is position {key}, but {label} holds JSON lines, whose "
                "columns have names; set data.has_header=true and name them"
            )
        keys.append(key)
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
    n_lines = content.count(b"\n") + (not content.endswith(b"\n"))
    skipped = {"blank_line": len(blank)} if blank else {}
    return RawTable(label, frame, line, typed=True, records=n_lines - len(blank), skipped=skipped)


def _blocks(
    label: str, content: bytes, keys: Sequence[str], blank: list[int]
) -> Iterator[list[list[Any]]]:
    decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant).decode
    rows: list[list[Any]] = []
    for number, raw in enumerate(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), start=1):
        if raw.isspace():
            blank.append(number)
            continue
        try:
            rows.append(_values(decode(raw.decode("utf-8")), keys))
        except UnicodeDecodeError:
            raise DataError(
                f"{label}, line {number}: not UTF-8, as JSON is; "
                "iconv -f <encoding> -t utf-8 converts it"
            ) from None
        except json.JSONDecodeError as error:
            raise DataError(
                f"{label}, line {number}: not JSON ({error.msg}, column {error.colno}); {_EXPECTED}"
            ) from None
        except RecursionError:
            raise DataError(f"{label}, line {number}: nested too deeply; {_EXPECTED}") from None
        except ValueError as error:
            raise DataError(f"{label}, line {number}: {error}") from None
        if len(rows) == _BLOCK:
            yield rows
            rows = []
    yield rows


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _RowError(f"the key {twice[:40]} is there twice; each once is expected")
    return found


def _refuse_constant(text: str) -> None:
    raise _RowError(f"{text} is no JSON; a number or null is expected")


def _values(row: Any, keys: Sequence[str]) -> list[Any]:
    if type(row) is not dict:
        raise _RowError(f"{str(row)[:60]} is no object; {_EXPECTED}")
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
            raise _RowError(f"no key {key} (the keys are: {shown}); data.columns names them")
        value = value[step]
    return value
