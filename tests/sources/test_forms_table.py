"""Each row of the table of forms in docs/files.md, run as it stands there."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest

from cofilter.core.config import parse
from cofilter.sources.database import PASSWORD
from cofilter.sources.source import DataConfig, obtain
from tests.composition import compose
from tests.sources import postgres
from tests.sources.archives import zipped
from tests.sources.configs import PROJECT
from tests.sources.server import Site, serve
from tests.sources.test_unpack import zstd
from tests.sources.test_workbook import book

SECTION = (PROJECT / "docs" / "files.md").read_text(encoding="utf-8").partition("## Forms\n")[2]
ROWS = re.findall(r"^\| (?!---|what)([^|]+) \| `([^`]+)` \|$", SECTION.partition("\n## ")[0], re.M)

# Three ratings by two users of two items, in each form.
NAMES = ["user_id", "item_id", "rating", "timestamp"]
EVENTS = [[7, 30, 4.5, 10], [7, 20, 3.0, 20], [8, 20, 1.0, 30]]
CSV = "".join(",".join(map(str, row)) + "\n" for row in [NAMES, *EVENTS]).encode()
FRAME = pl.DataFrame(EVENTS, schema=NAMES, orient="row")
TSV = "".join("\t".join(map(str, row)) + "\n" for row in EVENTS).encode()
LINES = (
    b'{"user": {"id": 7}, "item": 30, "rating": 4.5, "at": "1970-01-01T00:00:10"}\n'
    b'{"user": {"id": 7}, "item": 20, "rating": 3, "at": "1970-01-01T00:00:20"}\n'
    b'{"user": {"id": 8}, "item": 20, "rating": 1, "at": "1970-01-01T00:00:30"}\n'
)


def columnar(write: Callable[[Path], object]) -> Callable[[Path], bytes]:
    def content(path: Path) -> bytes:
        write(path)
        return path.read_bytes()

    return content


def database(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute("create table ratings (user_id, item_id, rating, timestamp)")
    connection.executemany("insert into ratings values (?, ?, ?, ?)", EVENTS)
    connection.commit()
    connection.close()
    return path.read_bytes()


FILES: dict[str, bytes | Callable[[Path], bytes]] = {
    "ratings.csv": CSV,
    "ratings.tsv": TSV,
    "ratings.csv.gz": gzip.compress(CSV),
    "ratings.csv.bz2": bz2.compress(CSV),
    "ratings.csv.xz": lzma.compress(CSV),
    "ratings.csv.zst": zstd(CSV),
    "export.zip": zipped({"export/ratings.csv": CSV}),
    "several.zip": zipped({"ratings.csv": CSV, "users.csv": b"x"}),
    "ratings.parquet": columnar(FRAME.write_parquet),
    "ratings.feather": columnar(FRAME.write_ipc),
    "events.jsonl": LINES,
    "events.json": b"[" + b",".join(LINES.splitlines()) + b"]",
    "ratings.xlsx": book(ratings=[NAMES, *EVENTS]),
    "logs/2024-01.csv.gz": gzip.compress(CSV[: CSV.rindex(b"8,")]),
    "logs/2024-02.csv.gz": gzip.compress(CSV.splitlines(keepends=True)[0] + b"8,20,1.0,30\n"),
    "parts/a.parquet": columnar(FRAME[:2].write_parquet),
    "parts/b.parquet": columnar(FRAME[2:].write_parquet),
    "matrix.csv": b"2,99,3,4.5\n1,99,1,99\n",
    "named.csv": b"user,a,b\nu,3,4.5\nv,1,\n",
    "lists.txt": b"7 30 20\n8 20\n9\n",
    "lightgcn/train.txt": b"7 30\n8 20\n",
    "lightgcn/test.txt": b"7 20\n",
    "baskets.csv": b"bread,milk\nmilk\n",
    "shop.db": database,
}


def write_all(folder: Path) -> None:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content(path))


@pytest.fixture(scope="module")
def shop(postgres_url: str) -> str:
    values = ", ".join(str(tuple(row)) for row in EVENTS)
    postgres.fill(
        postgres_url,
        "create table ratings (user_id int, item_id int, rating real, timestamp bigint)",
        f"insert into ratings values {values}",
    )
    return postgres_url


def overrides_of(command: str) -> tuple[str, ...]:
    """The keys of a row, as DVC hands them to Hydra after the shell has taken its quotes away."""
    return tuple(quoted or bare for quoted, bare in re.findall(r"-S (?:'([^']*)'|(\S+))", command))


def test_the_table_has_rows_and_each_file_is_in_one() -> None:
    told = " ".join(command for _, command in ROWS)
    unused = [name for name in FILES if name not in told and name.split("/")[0] not in told]
    assert unused == []
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("have", "command"), ROWS, ids=[have for have, _ in ROWS])
def test_a_row_of_the_table_reads_its_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    have: str,
    command: str,
) -> None:
    write_all(tmp_path)
    overrides = overrides_of(command)
    with ExitStack() as stack:
        servers = {"https://example.org": stack.enter_context(serve(Site(CSV))).url}
        if "postgresql" in command:
            servers |= {"postgresql+psycopg://me@host/shop": request.getfixturevalue("shop")}
            monkeypatch.setenv(PASSWORD, postgres.PASSWORD)
        told = list(overrides)
        for there, here in servers.items():
            told = [each.replace(there, here) for each in told]
        config = parse(DataConfig, compose(*told)["data"], "data")
        found = obtain(config, tmp_path / "downloads", tmp_path)
    assert (found.report["rows"], found.report["users"], found.report["items"]) == (3, 2, 2)
    if config.is_rated:
        assert sorted(found.ratings["rating"]) == [1.0, 3.0, 4.5]
    if found.report["timestamps"]:
        assert sorted(found.ratings["timestamp"]) == [10, 20, 30]
