from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cofilter.core.errors import DataError
from cofilter.sources import lines
from cofilter.sources.delimited import TextFormat
from cofilter.sources.item_lists import read_item_lists
from cofilter.sources.source import Obtained, obtain
from tests.sources.configs import source

CASES = Path(__file__).parent / "cases"
BLANKS, COMMAS = TextFormat("", False), TextFormat(",", False)


def pairs(content: str, text: TextFormat, user_first: bool = True) -> list[tuple[Any, ...]]:
    return read_item_lists("f", content.encode(), text, user_first).frame.rows()


def get(tmp_path: Path, name: str, path: Path, **changes: Any) -> Obtained:
    return obtain(source(name, path=str(path), **changes), tmp_path, tmp_path)


def test_the_case_of_an_adjacency_list(tmp_path: Path) -> None:
    found = get(tmp_path, "adjacency", CASES / "adjacency.txt")
    user, item = (found.ratings[name].tolist() for name in ("user_id", "item_id"))
    expected = ["u1 a", "u1 b", "u2 c", "u2 d", "u2 e", "u2 f", "u2 g", "u3 a"]
    assert [f"{u} {i}" for u, i in zip(user, item, strict=True)] == expected
    assert found.ratings["rating"].tolist() == [1.0] * 8


@pytest.mark.parametrize(
    ("content", "text", "user_first", "expected"),
    [
        ("7\t1  2 \r\n\r\n8\r\n7 3\r\n", BLANKS, True, [("7", "1"), ("7", "2"), ("7", "3")]),
        ("u,a, b,,\nv,c", COMMAS, True, [("u", "a"), ("u", "b"), ("v", "c")]),
        ("a b\n\nc\n", BLANKS, False, [(1, "a"), (1, "b"), (3, "c")]),
        ("x,y\na,b\nc\n", TextFormat(",", True), False, [(1, "a"), (1, "b"), (2, "c")]),
        (
            '"a, b",c\n"d ""e""",f"\n',
            COMMAS,
            False,
            [(1, "a, b"), (1, "c"), (2, 'd "e"'), (2, 'f"')],
        ),
        ('"a,b\n', TextFormat(",", False, quote=None), False, [(1, '"a'), (1, "b")]),
        ("a::b\n", TextFormat("::", False), True, [("a", "b")]),
        ("u a a\n", BLANKS, True, [("u", "a"), ("u", "a")]),
    ],
)
def test_each_item_of_each_line_is_a_row(
    content: str, text: TextFormat, user_first: bool, expected: list[tuple[Any, ...]]
) -> None:
    assert pairs(content, text, user_first) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("u,a\nv,,b\n", "f, line 2: an empty field; an id is expected in each"),
        (",a\n", "f, line 1: an empty field"),
        ("u\nv\n", "f: no line has an item"),
        ('u,a\nv,"b\n', "f, line 2: unexpected end of data after a quote; data.quote=null"),
        ('u,a\nv,"b"c\n', "f, line 2: ',' expected after '\"'"),
    ],
)
def test_what_is_no_list_is_refused_by_its_line(content: str, said: str) -> None:
    with pytest.raises(DataError) as told:
        pairs(content, COMMAS)
    assert str(told.value).startswith(said)


def test_a_published_split_of_adjacency_lists(tmp_path: Path) -> None:
    """As LightGCN's and GF-CF's public files lie in a folder, other lists beside them."""
    folder = tmp_path / "gowalla"
    folder.mkdir()
    (folder / "train.txt").write_text("0 0 1 2\n1 2\n2\n")
    (folder / "test.txt").write_text("0 3\n2 0\n1 \n")
    (folder / "user_list.txt").write_text("org_id remap_id\n0 0\n")
    found = get(tmp_path, "adjacency", folder)
    table = found.ratings[["user_id", "item_id", "part"]].to_numpy().tolist()
    train = [[0, 0, "train"], [0, 1, "train"], [0, 2, "train"], [1, 2, "train"]]
    assert table == [*train, [0, 3, "test"], [2, 0, "test"]]
    assert found.report["parts"] == {"train": 4, "validation": 0, "test": 2}


def test_blocks_and_one_piece_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    rows = [
        [f"u{user}", *(str(item) for item in generator.integers(0, 99, generator.integers(0, 9)))]
        for user in range(500)
    ]
    content = "\n".join(" ".join(row) for row in rows).encode()
    whole = [(row[0], item) for row in rows for item in row[1:]]
    monkeypatch.setattr(lines.blocks, "__defaults__", (256,))
    table = read_item_lists("f", content, BLANKS, user_first=True)
    assert table.frame.rows() == whole
    of = [number for number, row in enumerate(rows, 1) for _ in row[1:]]
    assert [table.line(row) for row in range(len(whole))] == of
