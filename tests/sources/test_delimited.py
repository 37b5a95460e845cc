from __future__ import annotations

import gzip
import io

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cofilter.core.errors import ConfigError, DataError
from cofilter.sources.delimited import TextFormat
from cofilter.sources.files import Member
from cofilter.sources.forms import read_table
from cofilter.sources.table import RawTable

CSV = TextFormat(",", has_header=True)
COLUMNS: dict[str, str | int] = {"user_id": "u", "item_id": "i"}


def read(
    content: bytes,
    text: TextFormat = CSV,
    columns: dict[str, str | int] = COLUMNS,
    name: str = "r.csv",
) -> RawTable:
    return read_table(Member(name, name, lambda: content), content, text, columns)


def rows(table: RawTable) -> list[tuple[object, ...]]:
    return table.frame.rows()


def test_wanted_columns_come_as_text_in_any_order() -> None:
    table = read(b"i,x,u\r\n007,q,1\r\n8,q,2\r\n")
    assert table.frame.columns == ["user_id", "item_id"]
    assert rows(table) == [("1", "007"), ("2", "8")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "::", "||"])
@pytest.mark.parametrize("header", [True, False])
def test_delimiters_of_any_length_with_and_without_header(delimiter: str, header: bool) -> None:
    lines = [["u", "i"]] * header + [["1", "2"], ["3", "4"]]
    content = "".join(delimiter.join(line) + "\n" for line in lines).encode()
    wanted: dict[str, str | int] = dict(COLUMNS) if header else {"user_id": 1, "item_id": 2}
    text = TextFormat(delimiter, header, quote=None)
    assert rows(read(content, text, wanted)) == [("1", "2"), ("3", "4")]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=6)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_quoted_cells_and_their_lines_agree_with_a_plain_scan(cells: list[tuple[str, str]]) -> None:
    """Cells with delimiters, quotes and line ends: values, and the line each row begins on."""
    content, lines = "u,i\n", []
    kept = [row for row in cells if any(cell.strip(" \t") for cell in row)]
    assume(kept)
    for row in cells:
        if row in kept:
            lines.append(content.count("\n") + 1)
        content += ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"
    table = read(content.encode(), TextFormat(",", True, multiline=True))
    assert [tuple(cell or "" for cell in row) for row in rows(table)] == kept
    assert [table.line(index) for index in range(len(kept))] == lines


def test_lines_without_quotes_count_the_header() -> None:
    assert read(b"u,i\n1,2\n3,4\n").line(1) == 3
    text = TextFormat(",", has_header=False)
    assert read(b"1,2\n3,4\n", text, {"user_id": 1, "item_id": 2}).line(1) == 2


def test_gzip_bom_and_latin_1_are_read() -> None:
    assert rows(read(gzip.compress(b"u,i\n1,2\n"), name="r.csv.gz")) == [("1", "2")]
    assert rows(read(b"\xef\xbb\xbfu,i\n1,2\n")) == [("1", "2")]
    latin = TextFormat(",", True, "latin-1")
    assert rows(read("u,i\né,2\n".encode("latin-1"), latin)) == [("é", "2")]


def test_parquet_keeps_its_types_and_is_known_by_content() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"u": [1, 2], "i": ["a", "b"]}).write_parquet(buffer)
    table = read(buffer.getvalue(), name="ratings.bin")
    assert table.frame.schema == {"user_id": pl.Int64, "item_id": pl.String}
    assert table.line(1) == 2
    with pytest.raises(DataError, match=r"no column z .*the columns are: u, i"):
        read(buffer.getvalue(), columns={"user_id": "z"})
    with pytest.raises(DataError, match="truncated or damaged"):
        read(buffer.getvalue()[:-20])


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "r.csv", "r.csv: the file is empty"),
        (b" \n\n", "r.csv", "r.csv: the file is empty"),
        (b"u,i\n", "r.csv", "r.csv: the file has no rows"),
        (b"u,x\n1,2\n", "r.csv", r"r.csv, line 1: no column i \(the columns are: u, x\)"),
        (b"u;i\n1;2\n", "r.csv", 'line 1: one column, "u;i"; data.delimiter=semicolon seems'),
        (b"u,u,i\n1,2,3\n", "r.csv", "names u more than once"),
        (b"u,i\n1,2\n3,4,5\n", "r.csv", "r.csv, line 3: 3 fields, but 2 are named"),
        (b"u,i\n1,2\n\xff,4\n", "r.csv", "r.csv, line 3: not utf-8 text .byte 0xff"),
        (b"<html><body>404</body></html>", "r.csv", "r.csv: is an HTML page"),
        (b"PK\x03\x04abc", "r.csv", "r.csv: the zip archive is truncated"),
        (b"u,i\n1,2\n", "r.parquet", "r.parquet: is a text file, not a Parquet file"),
        (gzip.compress(b"u,i\n" + b"1,2\n" * 99, mtime=0)[:-12], "r.gz", "gzip file is truncated"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(content: bytes, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read(content, name=name)
    assert "\n" not in str(caught.value)


def test_an_unknown_encoding_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r'data.encoding: "klingon"'):
        read(b"u,i\n1,2\n", TextFormat(",", True, "klingon"))
