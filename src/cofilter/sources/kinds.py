"""What a file is by its first bytes, and how to convert what cofilter does not read."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD = 1024  # bytes that say what a file is

GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
ZIP, PARQUET, ARROW, OLE = b"PK\x03\x04", b"PAR1", b"ARROW1", b"\xd0\xcf\x11\xe0"
SQLITE = b"SQLite format 3\x00"

_JSON_LINES = re.compile(rb'\s*\{\s*["}]')
_JSON_ARRAY = re.compile(rb"\s*\[\s*[\[{]")
_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s*([^\n]*)")
_TO_PARQUET = ".to_parquet('ratings.parquet') writes what is read here"


@dataclass(frozen=True)
class Kind:
    """A file's format; ``remedy`` says how to convert it, "" where it is read as it is."""

    name: str
    remedy: str = ""


_PANDAS = {
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", "read_hdf(…)"),
    b"ORC": ("an ORC file", "read_orc(…)"),
    b"$FL2": ("an SPSS file", "read_spss(…)"),
    b"$FL3": ("an SPSS file", "read_spss(…)"),
    b"<stata_dta>": ("a Stata file", "read_stata(…)"),
    b"\x00" * 12 + b"\xc2\xea\x81\x60": ("a SAS file", "read_sas(…)"),
    b"FEA1": ("a Feather file of version 1", "read_feather(…)"),
}
_R = "in R: arrow::write_parquet(as.data.frame(x), 'ratings.parquet') writes what is read here"
_SCIPY = (
    "in Python: scipy.io.loadmat('FILE') has its matrices; write them as rows of user, item, rating"
)
_MATRIX_MARKET = (
    "in Python: m = scipy.io.mmread('FILE').tocoo(); write m.row, m.col and m.data as columns, or "
    "take out its first lines, down to that of the sizes"
)
_NUMPY = (
    "in Python: pandas.DataFrame(numpy.load('FILE'), columns=['user_id', 'item_id', 'rating'])"
    + _TO_PARQUET
)
_UNPACK = "unpack it, and name the folder or file in data.path"
_ASIDE = "a table of ratings is expected"
_KINDS = {
    ZIP: Kind("a zip archive"),
    b"PK\x05\x06": Kind("a zip archive without files", "a zip with one table is read"),
    PARQUET: Kind("a Parquet file"),
    ARROW: Kind("an Arrow file"),
    GZIP: Kind("a gzip file"),
    BZIP2: Kind("a bzip2 file"),
    XZ: Kind("an xz file"),
    ZSTD: Kind("a zstd file"),
    OLE: Kind("an old Excel file"),
    SQLITE: Kind(
        "an SQLite database",
        "it is read with data=sql, data.path=sqlite:///FILE and "
        "data.query='select user_id, item_id, rating, timestamp from …'",
    ),
    b"7z\xbc\xaf": Kind("a 7-Zip archive", f"7z x FILE; {_UNPACK}"),
    b"Rar!": Kind("a RAR archive", f"unrar x FILE; {_UNPACK}"),
    b"\x04\x22\x4d\x18": Kind("an lz4 file", f"lz4 -d FILE; {_UNPACK}"),
    b"\x1f\x9d": Kind("a file of compress", f"gzip -d FILE; {_UNPACK}"),
    b"\xff\x06\x00\x00sNaPpY": Kind("a snappy file", _UNPACK),
    b"Obj\x01": Kind("an Avro file", "in Python: polars.read_avro('FILE').write_parquet(…)"),
    b"\x93NUMPY": Kind("a NumPy array", _NUMPY),
    b"MATLAB": Kind("a MATLAB file", _SCIPY),
    b"%%MatrixMarket": Kind("a Matrix Market file", _MATRIX_MARKET),
    b"RDX2\n": Kind("an R data file", _R),
    b"RDX3\n": Kind("an R data file", _R),
    b"X\n\x00\x00\x00": Kind("an R data file", _R),
    b"%PDF": Kind("a PDF file", _ASIDE),
    b"\x89PNG": Kind("a PNG image", _ASIDE),
    b"\xff\xd8\xff": Kind("a JPEG image", _ASIDE),
    b"GIF8": Kind("a GIF image", _ASIDE),
    b"\x7fELF": Kind("a programme", _ASIDE),
    **{
        magic: Kind(name, f"in Python: pandas.{call}{_TO_PARQUET}")
        for magic, (name, call) in _PANDAS.items()
    },
    **{
        bytes((0x80, protocol)): Kind(
            "a Python pickle", f"in Python, if you trust it: pandas.read_pickle(…){_TO_PARQUET}"
        )
        for protocol in (2, 3, 4, 5)
    },
}
_STATEMENTS = (b"insert into", b"create table", b"-- mysql", b"-- mariadb", b"-- postgresql")
_SQL_DUMP = Kind(
    "statements of SQL",
    "load them into a database, which is read with data=sql, or export the table as CSV",
)
_TAR = Kind("a tar archive", f"tar -xf FILE; {_UNPACK}")
_DUCKDB = Kind(
    "a DuckDB database", "in duckdb: copy (select …) to 'ratings.parquet' writes what is read here"
)


def kind_of(head: bytes) -> Kind | None:
    """What a file's first bytes say it is; None for text that says nothing special."""
    for magic, kind in _KINDS.items():
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return _TAR
    if head[8:12] == b"DUCK":
        return _DUCKDB
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table")):
        return Kind("an HTML page", "pandas.read_html(…) finds the tables in it")
    if start.startswith(_STATEMENTS):
        return _SQL_DUMP
    if start.startswith(b"<?xml"):
        return Kind("an XML file", f"pandas.read_xml(…){_TO_PARQUET}")
    return None


def what_is(head: bytes) -> str | None:
    """Name what a file's first bytes say it is; None for text that says nothing special."""
    kind = kind_of(head)
    if kind is not None:
        return kind.name
    return "a binary file" if b"\x00" in head else None


def is_json(name: str, head: bytes) -> bool:
    """Whether a text begins as an object or as an array of them, or its name says JSON lines."""
    named = name.lower().endswith((".jsonl", ".ndjson"))
    return named or bool(_JSON_LINES.match(_bare(head)) or _JSON_ARRAY.match(_bare(head)))


def is_json_lines(name: str, content: bytes) -> bool:
    """Whether JSON has its first object on one line, or its name says that all have.

    Otherwise it is an array, or objects that go on over several lines.
    """
    if _JSON_ARRAY.match(_bare(content[:HEAD])):
        return False
    if name.lower().endswith((".jsonl", ".ndjson")):
        return True
    return first_line(content).endswith(b"}")


def first_line(content: bytes) -> bytes:
    """The first line that is not blank, without blanks around it and a byte order mark."""
    found = _LINE.match(content)
    return found[1].rstrip() if found else b""


def _bare(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf")
