from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import ConfigError, DataError
from cofilter.sources import json_lines
from cofilter.sources.json_lines import read_json_lines
from cofilter.sources.table import RawTable

COLUMNS: dict[str, str | int] = {"user_id": "u", "item_id": "i"}


def read(content: bytes | str, columns: dict[str, str | int] = COLUMNS) -> RawTable:
    content = content.encode() if isinstance(content, str) else content
    return read_json_lines("e.jsonl", content, columns)


@pytest.mark.parametrize(
    ("lines", "types", "rows"),
    [
        ('{"u": 1, "i": "007"}\n{"u": 2, "i": "8"}', [pl.Int64, pl.String], [(1, "007"), (2, "8")]),
        ('\ufeff{"i": 1, "u": 2, "x": [{}]}\r\n', [pl.Int64, pl.Int64], [(2, 1)]),
        ('{"u": 1, "i": 1}\n{"u": 2, "i": 1.5}', [pl.Int64, pl.Float64], [(1, 1.0), (2, 1.5)]),
        ('{"u": null, "i": 1}\n{"u": "a", "i": 1}', [pl.String, pl.Int64], [(None, 1), ("a", 1)]),
        (
            '{"u": 18446744073709551615, "i": 9007199254740993}',
            [pl.Int128, pl.Int64],
            [(18446744073709551615, 9007199254740993)],
        ),
        ('{"u": true, "i": "\\ud83d\\ude00"}', [pl.Boolean, pl.String], [(True, "😀")]),
    ],
)
def test_values_keep_their_kinds(lines: str, types: list[pl.DataType], rows: list[object]) -> None:
    table = read(lines)
    assert table.typed
    assert table.frame.dtypes == types
    assert table.frame.rows() == rows


def test_keys_with_dots_reach_into_objects_after_the_key_itself() -> None:
    columns: dict[str, str | int] = {"user_id": "user.id", "item_id": "i"}
    lines = '{"user": {"id": 7}, "i": 1}\n{"user.id": 8, "user": {"id": 9}, "i": 1}\n'
    assert read(lines, columns).frame["user_id"].to_list() == [7, 8]


def test_blank_lines_are_no_rows_and_count_as_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "BLOCK", 2)
    table = read("\n" + "".join(f'{{"u": {n}, "i": 1}}\n{" " * (n % 2)}\n' for n in range(5)))
    assert table.frame["user_id"].to_list() == [0, 1, 2, 3, 4]
    assert [table.line(row) for row in range(5)] == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1, 2]", "line 2: [1, 2] is no object; one JSON object a line is expected"),
        ("3", "line 2: 3 is no object"),
        ('{"u": 1', "line 2: not JSON ("),
        ('{"u": 1, "i": 2} x', "line 2: not JSON (Extra data"),
        ('{"u": 1, "i": 2}{"u": 1, "i": 2}', "line 2: not JSON (Extra data"),
        ('{"u": 1}', "line 2: no key i (the keys are: u); data.columns names them"),
        ('{"u": 1, "i": 2, "u": 3}', "line 2: the key u is there twice"),
        ('{"u": 1, "i": NaN}', "line 2: NaN is no JSON"),
        ('{"u": "1", "i": 2}', "line 2, u: 1 is text, but line 1 has a number; one kind"),
        ('{"u": true, "i": 2}', "line 2, u: True is true or false, but line 1 has a number"),
        ('{"u": [1], "i": 2}', "line 2, u: [1] is a list; a number, text or a time is expected"),
        ('{"u": {"a": 1}, "i": 2}', "line 2, u: {'a': 1} is a dict"),
        (f'{{"u": {10**50}, "i": 2}}', "has too many digits for a number; text is expected"),
        (f'{{"u": {"9" * 5000}, "i": 2}}', "line 2: Exceeds the limit"),
        ("[" * 100_000, "line 2: nested too deeply"),
    ],
    ids=lambda value: value[:20],
)
def test_a_line_that_does_not_fit_is_named(line: str, said: str) -> None:
    with pytest.raises(DataError) as told:
        read('{"u": 1, "i": 1}\n' + line + "\n")
    assert said in str(told.value)
    assert str(told.value).startswith("e.jsonl, line 2")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"u": "\xe9", "i": 1}', "line 1: not UTF-8"),
        (b'{"u": "\\ud800", "i": 1}', "is no Unicode text"),
        (b"\n \n", "has no rows"),
    ],
)
def test_text_that_is_none_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(content)


def test_a_fraction_among_whole_ids_that_floats_cannot_hold_is_refused() -> None:
    with pytest.raises(DataError, match="9007199254740993 is not exact as a fraction"):
        read('{"u": 9007199254740993, "i": 1}\n{"u": 1.5, "i": 1}\n')


def test_positions_are_no_keys() -> None:
    with pytest.raises(ConfigError, match=r"set data.has_header=true and name them"):
        read("{}", {"user_id": 1})


SCALARS = st.one_of(st.text(st.characters(codec="utf-8"), max_size=4), st.none())


@given(st.lists(st.tuples(SCALARS, st.integers(-(2**70), 2**70)), min_size=1, max_size=9))
def test_what_json_writes_is_read(rows: list[tuple[str | None, int]]) -> None:
    content = "".join(json.dumps({"i": i, "u": u}) + "\n" for u, i in rows)
    assert read(content).frame.rows() == rows


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_lines_are_counted_apart_from_the_parser(end: str) -> None:
    raw = read('{"u": 1, "i": 2}\n\n \r\n{"u": 1, "i": 3}' + end)
    assert (raw.records, len(raw.frame), raw.skipped["blank_line"]) == (2, 2, 2 + (end == "\n\n"))
