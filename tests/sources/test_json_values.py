from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.sources import json_values
from cofilter.sources.json_values import read_json_values
from cofilter.sources.kernels import values as kernel

COLUMNS: dict[str, str | int] = {"user_id": "u", "item_id": "i"}


def rows(content: str) -> list[tuple[object, ...]]:
    return read_json_values("e.json", content.encode(), COLUMNS).frame.rows()


@pytest.mark.parametrize(
    "content",
    [
        '[{"u": 1, "i": "a"}, {"i": "b", "u": 2, "x": [{"y": "]}"}]}]',
        '\ufeff\n[\n  {\n"u": 1,\n"i": "a"\n}\n,\n{"u": 2, "i": "b"}]\n',
        '{"u": 1,\n "i": "a"}\n{"u": 2,\n "i": "b"}\n',
        '{"u": 1,\n "i": "a"}{"u": 2, "i": "b"}',
    ],
)
def test_objects_of_an_array_or_after_each_other_are_rows(
    content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows(content) == [(1, "a"), (2, "b")]
    monkeypatch.setattr(json_values, "BLOCK", 1)
    assert rows(content) == [(1, "a"), (2, "b")]


GOOD = '{"u": 1, "i": 1}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f'[{GOOD},\n{{"u": 2}}]', "e.json, row 2: no key i (the keys are: u); data.columns names"),
        (f'[{GOOD}, {{"u": "2", "i": 1}}]', "e.json, row 2, u: 2 is text, but row 1 has a number"),
        (f"[{GOOD},\n[1, 2]]", "e.json, row 2: [1, 2] is no object; an array of JSON objects"),
        (f"[{GOOD}\n", "e.json, line 2: not JSON (the array has no end)"),
        (f"[{GOOD},\n", "e.json, line 2: not JSON (Expecting value, column 1)"),
        (f"[{GOOD},\n]", "e.json, line 2: not JSON (Expecting value"),
        (f"[{GOOD}]\nx", 'e.json, line 1: not JSON ("]" after a value)'),
        (f"{GOOD}\n,{GOOD}", "e.json, line 2: not JSON (Expecting value"),
        ('{"u": 1,\n"u": 2}', "e.json, line 1: the key u is there twice"),
        ('[{"u": NaN, "i": 1}]', "e.json, line 1: NaN is no JSON"),
        ("[" * 100_000, "e.json, line 1: nested too deeply"),
        (
            '{"meta": 1,\n"data": [{"u": 1}]}',
            "row 1: no key u (the keys are: meta, data); the",
        ),
        ("[]", "e.json: the file has no rows"),
    ],
    ids=lambda value: value[:25],
)
def test_what_is_no_table_is_one_line(content: str, said: str) -> None:
    with pytest.raises(DataError) as told:
        rows(content)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_other_than_utf_8_is_refused() -> None:
    with pytest.raises(DataError, match=r"e\.json, line 2: not UTF-8"):
        read_json_values("e.json", '[\n{"u": "é"}]'.encode("latin-1"), COLUMNS)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=9,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), TREES), max_size=6))
def test_the_count_apart_is_that_of_the_objects(objects: list[dict[str, object]]) -> None:
    array = np.frombuffer(json.dumps(objects, indent=1).encode(), np.uint8)
    assert kernel.count(array, 1) == len(objects)
    stream = "\n".join(json.dumps(each, ensure_ascii=False) for each in objects).encode()
    assert kernel.count(np.frombuffer(stream, np.uint8), 0) == len(objects)
