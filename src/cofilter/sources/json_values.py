"""JSON values that no line ends separate: an array of objects, or objects one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from typing import Any

import numpy as np

from cofilter.core.errors import DataError
from cofilter.sources.cells import Cells
from cofilter.sources.json_lines import BLOCK, RowError, decoder, json_text, keys_of, values_of
from cofilter.sources.kernels import values as kernel
from cofilter.sources.table import RawTable, demand_rows

_SPACE = re.compile(r"[ \t\n\r]*")
EXPECTED = "an array of JSON objects, or one object after another, is expected"


def read_json_values(label: str, content: bytes, columns: Mapping[str, str | int]) -> RawTable:
    """Read ``columns`` (wanted name → key) of JSON objects; the number of an object is its row.

    As `cofilter.sources.json_lines.read_json_lines`, but the objects are an array's, or may each
    go on over several lines.

    Raises
    ------
    DataError
        It is not JSON or not UTF-8, a value is no object, lacks a key or has it twice, or a column
        mixes numbers with text.
    """
    keys = keys_of(label, columns)
    text = json_text(label, content)
    cells = Cells(label, list(columns), keys, lambda index: f"row {index + 1}")
    rows: list[list[Any]] = []
    for number, value in enumerate(objects(label, text), start=1):
        try:
            rows.append(values_of(value, keys, EXPECTED))
        except RowError as error:
            raise DataError(f"{label}, row {number}: {error}") from None
        if len(rows) == BLOCK:
            cells.add(rows)
            rows = []
    cells.add(rows)
    frame = cells.frame()
    demand_rows(label, frame)
    counted = kernel.count(np.frombuffer(content, np.uint8), int(_is_array(text)))
    return RawTable(label, frame, lambda index: index + 1, int(counted), typed=True)


def objects(label: str, text: str) -> Iterator[Any]:
    """The values of an array, or those that follow each other."""
    decode = decoder().raw_decode
    array = _is_array(text)
    at = _after_space(text, _after_space(text, 0) + array)
    if array and text[at : at + 1] == "]":
        return
    while at < len(text) or array:
        try:
            value, at = decode(text, at)
        except JSONDecodeError as error:
            where = f"line {error.lineno}: not JSON ({error.msg}, column {error.colno})"
            raise DataError(f"{label}, {where}; {EXPECTED}") from None
        except RecursionError:
            raise DataError(f"{label}, {_line(text, at)}: nested too deeply; {EXPECTED}") from None
        except ValueError as error:  # RowError, and a number of thousands of digits
            raise DataError(f"{label}, {_line(text, at)}: {error}") from None
        yield value
        at = _after_space(text, at)
        if array:
            mark = text[at : at + 1]
            if mark == "]" and _after_space(text, at + 1) == len(text):
                return
            if mark != ",":
                what = f'"{mark}" after a value' if mark else "the array has no end"
                raise DataError(f"{label}, {_line(text, at)}: not JSON ({what}); {EXPECTED}")
            at = _after_space(text, at + 1)


def _is_array(text: str) -> bool:
    return text.startswith("[", _after_space(text, 0))


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"
