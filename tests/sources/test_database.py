from __future__ import annotations

import sqlite3
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import (
    CofilterError,
    ConfigError,
    DataError,
    MissingDependencyError,
    SourceError,
)
from cofilter.core.io import file_sha256
from cofilter.sources import database
from cofilter.sources.source import Obtained, obtain
from tests.sources import postgres
from tests.sources.configs import source

ALL = "select * from r order by timestamp"
UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")


def get(base: Path, path: str, query: str = ALL, **changes: Any) -> Obtained:
    return obtain(source("sql", path=path, query=query, **changes), base, base)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table r (user_id integer, item_id text, rating real, timestamp)")
    rows = [(7, "007", 4.5, 10), (8, "30", 3, 20), (9, "30", 1, 30)]
    connection.executemany("insert into r values (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return tmp_path


def test_a_query_of_sqlite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BLOCK", 2)
    before = file_sha256(folder / "shop.db")
    found = get(folder, "sqlite:///shop.db")
    assert found.ratings["user_id"].tolist() == [7, 8, 9]
    assert found.ratings["item_id"].tolist() == ["007", "30", "30"]
    assert found.ratings["rating"].tolist() == [4.5, 3.0, 1.0]
    assert found.ratings["timestamp"].tolist() == [10, 20, 30]
    assert found.report["origin"] == "sqlite:///shop.db"
    assert found.report["files"] == []
    assert get(folder, f"sqlite:///{folder}/shop.db").ratings.equals(found.ratings)
    query = "select *, ':x' as c, 5 % 3 as d from r where item_id like '%0' or item_id = '007'"
    assert get(folder, "sqlite:///shop.db", query).report["rows"] == 3
    assert file_sha256(folder / "shop.db") == before


@pytest.mark.parametrize(
    ("path", "query", "kind", "said"),
    [
        ("sqlite:///shop.db", "select", DataError, "data.query is refused: incomplete input"),
        ("sqlite:///shop.db", "select * from x", DataError, "no such table: x"),
        ("sqlite:///shop.db", "delete from r", DataError, "attempt to write a readonly database"),
        ("sqlite:///shop.db", "select * from r where 0", DataError, "has no rows"),
        ("sqlite:///shop.db", "pragma user_version = 1", CofilterError, "readonly"),
        (
            "sqlite:///shop.db",
            "select user_id from r",
            DataError,
            "no column item_id, rating",
        ),
        ("sqlite:///shop.db", "select 1 a, 2 a", DataError, "gives a more than once; rename one"),
        (
            "sqlite:///shop.db",
            "select *  from r union all select 'x', 'y', 1, 40",
            DataError,
            "row 4, user_id: x is text, but row 1 has a number",
        ),
        (
            "sqlite:///shop.db",
            "select user_id, cast(item_id as blob) item_id, rating, timestamp from r",
            DataError,
            "row 1, item_id: b'007' is a bytes; a number, text or a time is expected",
        ),
        ("sqlite:///gone.db", ALL, SourceError, "no such file"),
        ("sqlite://", ALL, ConfigError, "names no file"),
        ("nothing", ALL, ConfigError, "is no database URL; dialect+driver://user@host/database"),
        ("oracle+none://u@h/d", ALL, MissingDependencyError, "no driver for oracle+none"),
        ("duckdb:///x.db", ALL, MissingDependencyError, "no driver for duckdb"),
    ],
)
def test_what_a_database_refuses_is_one_line(
    folder: Path, path: str, query: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as told:
        get(folder, path, query)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert not (folder / "gone.db").exists()


def test_a_database_as_a_table_and_a_missing_library_are_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="a database is read by data=sql with"):
        obtain(source("csv", path="sqlite:///shop.db"), folder, folder)
    with pytest.raises(SourceError, match="sql: which rows"):
        obtain(source("sql", path="sqlite:///shop.db"), folder, folder)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'cofilter\[sql\]'"):
        get(folder, "sqlite:///shop.db")


def test_a_password_in_the_url_is_refused_unshown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        get(tmp_path, "postgresql+psycopg://me:s3cret@host/db")
    assert database.PASSWORD in str(told.value)
    assert "s3cret" not in str(told.value)


@pytest.fixture(scope="module")
def url(postgres_url: str) -> str:
    postgres.fill(
        postgres_url,
        "create table r (user_id uuid, item_id bigint, rating numeric(3, 1), "
        "timestamp timestamptz, day date, at time, tags text[])",
        f"insert into r values ('{UUID}', 9007199254740993, 4.5, '2020-01-01 02:00+02', "
        "'2020-01-01', '12:00', '{a}'), "
        "(null, 2, 3, '2020-01-02 00:00+00', null, null, null)",
    )
    return postgres_url


def test_a_query_of_postgresql(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.PASSWORD, postgres.PASSWORD)
    found = get(tmp_path, url, invalid="skip")
    assert found.report["skipped"]["user_missing"] == 1
    assert found.ratings["user_id"].tolist() == [str(UUID)]
    assert found.ratings["item_id"].tolist() == [9007199254740993]
    assert found.ratings["rating"].tolist() == [4.5]
    assert found.ratings["timestamp"].tolist() == [1577836800]
    assert found.report["origin"] == url
    many = "select n as user_id, n % 7 as item_id from generate_series(1, 120001) n"
    columns = {"user": "user_id", "item": "item_id", "rating": None, "timestamp": None}
    assert get(tmp_path, url, many, columns=columns).report["rows"] == 120_001
    other = "select n as user_id, n as item_id from generate_series(1, 1000) n where random() < 0.5"
    with pytest.raises(DataError, match=r"data.query gave \d+ rows, but \d+ when the database"):
        get(tmp_path, url, other, columns=columns)
    cast = "select item_id::text as user_id, item_id, ':x' as c from r"
    assert get(tmp_path, url, cast, columns=columns).report["rows"] == 2


@pytest.mark.parametrize(
    ("query", "changes", "said"),
    [
        ("select * from nothing", {}, 'relation "nothing" does not exist'),
        ("insert into r (item_id) values (1)", {}, "data.query is refused: syntax error"),
        (ALL, {"columns__user": "tags"}, "row 1, tags: ['a'] is a list"),
        (ALL, {"columns__timestamp": "at"}, "row 1, at: 12:00:00 is a time"),
    ],
)
def test_what_postgresql_refuses_is_one_line(
    tmp_path: Path,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    changes: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setenv(database.PASSWORD, postgres.PASSWORD)
    with pytest.raises(CofilterError) as told:
        get(tmp_path, url, query, **changes)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_wrong_password_is_not_shown(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.PASSWORD, "wr0ng")
    with pytest.raises(SourceError, match="password authentication failed") as told:
        get(tmp_path, url)
    assert "wr0ng" not in str(told.value)
    assert "\n" not in str(told.value)
