from __future__ import annotations

import datetime as dt
import io
import pickle
import sqlite3
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.orc
import pytest
import scipy.io
import torch

from cofilter.core.errors import DataError
from cofilter.sources.source import obtain
from tests.sources.archives import zipped
from tests.sources.configs import source

FRAME = pl.DataFrame({"user_id": [1], "item_id": [2]})


def saved(write: object, *arguments: object) -> bytes:
    buffer = io.BytesIO()
    write(buffer, *arguments)  # type: ignore[operator]
    return buffer.getvalue()


def orc() -> bytes:
    sink = pa.BufferOutputStream()
    pyarrow.orc.write_table(FRAME.to_arrow(), sink)
    return sink.getvalue().to_pybytes()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return buffer.getvalue()


def sqlite(folder: Path) -> bytes:
    path = folder / "x.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    return path.read_bytes()


# Written by the programmes themselves where they are here, otherwise as their first bytes.
FILES = {
    "a Python pickle": (pickle.dumps({"a": dt.date(2020, 1, 1)}), "read_pickle"),
    "a NumPy array": (saved(np.save, np.arange(4)), "numpy.load"),
    "a MATLAB file": (saved(scipy.io.savemat, {"R": np.eye(2)}), "scipy.io.loadmat"),
    "an ORC file": (orc(), "read_orc"),
    "an Avro file": (saved(FRAME.write_avro), "polars.read_avro"),
    "a tar archive": (tar(), "tar -xf"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + b"\x00" * 40, "read_hdf"),
    "an R data file": (b"RDX3\nX\n" + b"\x00" * 40, "arrow::write_parquet"),
    "an SPSS file": (b"$FL2@(#) SPSS DATA FILE", "read_spss"),
    "a Stata file": (b"<stata_dta><header>", "read_stata"),
    "a SAS file": (b"\x00" * 12 + b"\xc2\xea\x81\x60\xb3\x14", "read_sas"),
    "a 7-Zip archive": (b"7z\xbc\xaf\x27\x1c" + b"\x00" * 20, "7z x FILE"),
    "a RAR archive": (b"Rar!\x1a\x07\x01\x00", "unrar x FILE"),
    "an lz4 file": (b"\x04\x22\x4d\x18" + b"\x00" * 20, "lz4 -d FILE"),
    "a PDF file": (b"%PDF-1.7\n", "a table of ratings is expected"),
    "a PNG image": (b"\x89PNG\r\n\x1a\n", "a table of ratings is expected"),
    "a JPEG image": (b"\xff\xd8\xff\xe0", "a table of ratings is expected"),
    "an HTML page": (b"\n<!DOCTYPE html><html>", "read_html"),
    "an XML file": (b"<?xml version='1.0'?><a/>", "read_xml"),
    "a Matrix Market file": (saved(scipy.io.mmwrite, np.eye(2)), "scipy.io.mmread"),
    "a DuckDB database": (b"\x00" * 8 + b"DUCK" + b"\x00" * 20, "in duckdb: copy"),
}


def refusal(tmp_path: Path, content: bytes, name: str = "f") -> str:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as told:
        obtain(source("csv", path=name), tmp_path, tmp_path)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("kind", FILES)
def test_what_is_not_read_is_named_with_how_to_convert_it(tmp_path: Path, kind: str) -> None:
    content, remedy = FILES[kind]
    said = refusal(tmp_path, content)
    assert said.startswith(f"f: is {kind}, which is not read; ")
    assert remedy in said


def test_a_database_without_query_says_how_it_is_read(tmp_path: Path) -> None:
    said = refusal(tmp_path, sqlite(tmp_path))
    assert said.startswith("f: is an SQLite database")
    assert "data=sql, data.path=sqlite:///FILE" in said


def test_zips_that_programmes_write_are_told_by_what_is_in_them(tmp_path: Path) -> None:
    assert "a NumPy array" in refusal(tmp_path, saved(np.savez, np.arange(4)))
    often = b"x"
    for _ in range(4):
        often = zipped({"a.zip": often})
    said = refusal(tmp_path, often)
    assert said == "f: is a zip archive, which is not read; it is packed too often, or damaged"
    torch.save({"a": torch.zeros(2)}, tmp_path / "model")
    assert "holds" in refusal(tmp_path, (tmp_path / "model").read_bytes())


def test_a_name_that_its_content_contradicts_is_refused(tmp_path: Path) -> None:
    assert "f.parquet: is a text file, not a Parquet file" in refusal(
        tmp_path, b"a,b\n", "f.parquet"
    )
    assert "f.jsonl, line 1: not JSON" in refusal(tmp_path, b"a,b\n", "f.jsonl")
