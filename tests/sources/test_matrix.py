from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cofilter.core.errors import CofilterError
from cofilter.sources import matrix
from cofilter.sources.delimited import TextFormat
from cofilter.sources.matrix import MatrixForm, read_matrix
from cofilter.sources.source import obtain
from tests.sources.configs import source

CASES = Path(__file__).parent / "cases"
COMMAS, HEADER = TextFormat(",", False), TextFormat(",", True)
PLAIN = MatrixForm(0, None, None)


def cells(content: str, text: TextFormat = COMMAS, form: MatrixForm = PLAIN) -> list[Any]:
    return read_matrix("m", content.encode(), text, form).frame.rows()


def test_the_case_of_a_matrix_with_a_count_and_a_code(tmp_path: Path) -> None:
    config = source("matrix", path="wide_matrix.csv", not_rated=99, skip_columns=1)
    found = obtain(config, tmp_path, CASES).ratings
    rows = [(1, 2, 7.5), (1, 3, -3.0), (2, 3, 0.0), (3, 1, 1.0), (3, 2, 2.0), (3, 3, -9.95)]
    assert found["user_id"].tolist() == [row[0] for row in rows]
    assert found["item_id"].tolist() == [row[1] for row in rows]
    assert found["rating"].tolist() == pytest.approx([row[2] for row in rows])


@pytest.mark.parametrize(
    ("content", "text", "form", "expected"),
    [
        ("1,,3\n , 2,\n", COMMAS, PLAIN, [(1, "1", 1), (1, "3", 3), (2, "2", 2)]),
        (
            "1\t5\n\n2  99.0\n",
            TextFormat("", False),
            MatrixForm(0, None, 99),
            [(1, "1", 1), (1, "2", 5), (2, "1", 2)],
        ),
        ("a,b\n1,NA\nNA,2\n", HEADER, MatrixForm(0, None, "NA"), [(1, "a", 1), (2, "b", 2)]),
        ("u,a,b\nx,1,\ny,,2\n", HEADER, MatrixForm(1, "u", None), [("x", "a", 1), ("y", "b", 2)]),
        ("7,x,1\n8,y,2\n", COMMAS, MatrixForm(2, 1, None), [("7", "1", 1), ("8", "1", 2)]),
        ('"a,1","b ""2"""\n"1",2\n', HEADER, PLAIN, [(1, "a,1", 1), (1, 'b "2"', 2)]),
        ("1;2\n", TextFormat(";", False), PLAIN, [(1, "1", 1), (1, "2", 2)]),
    ],
)
def test_each_rated_cell_is_a_row(
    content: str, text: TextFormat, form: MatrixForm, expected: list[Any]
) -> None:
    assert cells(content, text, form) == expected


@pytest.mark.parametrize(
    ("content", "text", "form", "said"),
    [
        ("1,2\n1\n", COMMAS, PLAIN, "m, line 2: 1 fields, but 2 are expected"),
        ("1,2\n\n1,2,3\n", COMMAS, PLAIN, "m, line 3: 3 fields, but 2 are expected"),
        (
            "1,2\n1,NA\n",
            COMMAS,
            PLAIN,
            'm, line 2, item 2: "NA"; a number is expected, or the code',
        ),
        ("1,2\n", COMMAS, MatrixForm(2, None, None), "m, line 1: 2 fields, of which data.skip_col"),
        ("a,a\n1,2\n", HEADER, PLAIN, "m, line 1: the header names a more than once"),
        ("u,a\n,2\n", HEADER, MatrixForm(1, "u", None), "m, line 2: no user; an id is expected"),
        (
            "u,a\nx,2\n",
            HEADER,
            MatrixForm(1, "v", None),
            "data.columns.user: v is none of the first",
        ),
        ("99,99\n", COMMAS, MatrixForm(0, None, 99), "m: no cell is rated"),
        ("a,b\n", HEADER, PLAIN, "m: no cell is rated"),
    ],
)
def test_what_is_no_matrix_is_refused(
    content: str, text: TextFormat, form: MatrixForm, said: str
) -> None:
    with pytest.raises(CofilterError) as told:
        cells(content, text, form)
    assert str(told.value).startswith(said)


def test_blocks_and_one_piece_agree_with_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "_BLOCK", 64)
    generator = np.random.default_rng(0)
    dense = generator.integers(0, 6, (60, 17))
    content = "\n".join(",".join(map(str, row)) for row in dense)
    user, item = np.nonzero(dense)
    expected = [(u + 1, str(i + 1), dense[u, i]) for u, i in zip(user, item, strict=True)]
    assert cells(content, form=MatrixForm(0, None, 0)) == expected
    table = read_matrix("m", content.encode(), COMMAS, MatrixForm(0, None, 0))
    assert [table.line(row) for row in range(len(user))] == (user + 1).tolist()


def test_a_code_that_most_cells_have_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        cells("99,99,1\n99,2,99\n")
    assert "4 of 6 cells are 99; if this stands for not rated: data.not_rated=99" in caplog.text
