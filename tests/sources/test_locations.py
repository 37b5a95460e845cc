from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import CofilterError
from cofilter.sources.locations import NO_FILE, tracked_path
from cofilter.sources.source import Obtained, obtain
from tests.composition import compose
from tests.sources.configs import source

HEADER = "user_id,item_id,rating,timestamp\n"


def get(base: Path, path: str, **changes: Any) -> Obtained:
    return obtain(source("csv", path=path, **changes), base / "downloads", base)


def write(base: Path, **files: str) -> None:
    """Files below ``base``; in names ``__`` stands for a folder's end and ``_`` for the dot."""
    for name, content in files.items():
        path = base / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def users(found: Obtained) -> list[Any]:
    return list(found.ratings["user_id"])


def refused(base: Path, path: str, **changes: Any) -> str:
    with pytest.raises(CofilterError) as told:
        get(base, path, **changes)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_folder_is_one_table_in_the_order_of_its_files_names(tmp_path: Path) -> None:
    write(tmp_path, logs__b_csv=HEADER + "2,1,5,2\n3,1,5,3\n", logs__a_csv=HEADER + "1,1,5,1\n")
    (tmp_path / "logs" / "_SUCCESS").touch()
    (tmp_path / "logs" / ".a.csv.crc").write_bytes(b"crc")
    found = get(tmp_path, "logs")
    assert users(found) == [1, 2, 3]
    assert [file["name"] for file in found.report["files"]] == ["a.csv", "b.csv"]
    assert found.report["origin"] == "logs"
    write(tmp_path, logs__b_csv=HEADER + "2,1,5,2\n3,1,five,3\n")
    assert refused(tmp_path, "logs").startswith('logs/b.csv, row 3, rating: "five"; a number')


def test_a_glob_takes_what_it_matches(tmp_path: Path) -> None:
    write(tmp_path, logs__2024__a_csv=HEADER + "1,1,5,1\n", logs__2025__a_csv=HEADER + "2,1,5,1\n")
    write(tmp_path, logs__2025__b_txt="other", logs__2025__hidden_csv=HEADER + "3,1,5,1\n")
    (tmp_path / "logs/2025/hidden.csv").rename(tmp_path / "logs/2025/.hidden.csv")
    assert users(get(tmp_path, "logs/*/*.csv")) == [1, 2]
    assert users(get(tmp_path, "logs/2025/?.csv")) == [2]
    assert users(get(tmp_path, "logs/**/*.csv")) == [1, 2]
    assert users(get(tmp_path, f"{tmp_path}/logs/2025/*.csv")) == [2]
    said = refused(tmp_path, "logs/*.parquet")
    assert said.startswith("logs/*.parquet: no file matches (in the folder ")
    write(tmp_path, **{"a[1]_csv": HEADER + "7,1,5,1\n"})
    assert users(get(tmp_path, "a[1].csv")) == [7]


def test_parquet_files_of_a_folder_with_integers_of_two_widths(tmp_path: Path) -> None:
    import polars as pl

    (tmp_path / "logs").mkdir()
    for name, dtype in (("a", pl.Int32), ("b", pl.Int64)):
        table = pl.DataFrame({"user_id": [1], "item_id": [2], "rating": [3.0], "timestamp": [4]})
        table.cast({"user_id": dtype}).write_parquet(tmp_path / "logs" / f"{name}.parquet")
    assert users(get(tmp_path, "logs")) == [1, 1]
    table.cast({"user_id": pl.String}).write_parquet(tmp_path / "logs" / "c.parquet")
    said = refused(tmp_path, "logs")
    assert said.startswith("logs/c.parquet: user_id is String, but Int64 in logs/a.parquet; files")
    table.drop("rating").write_parquet(tmp_path / "logs" / "c.parquet")
    assert refused(tmp_path, "logs").startswith("logs/c.parquet, line 1: no column rating")
    table.with_columns(more=1).write_parquet(tmp_path / "logs" / "c.parquet")
    said = refused(tmp_path, "logs")
    assert said.startswith("logs/c.parquet: has besides more beside logs/a.parquet; files of one")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"logs__a_csv": HEADER + "1,1,5,1\n", "logs__b_jsonl": "{}\n"},
            "logs/b.jsonl: is JSON lines, but logs/a.csv is text; files of one table have one form",
        ),
        (
            {"logs__a_csv": HEADER + "1,1,5,1\n", "logs__b_csv": ""},
            "logs/b.csv: the file is empty",
        ),
        (
            {"logs__year=2024__a_csv": HEADER},
            "logs: holds folders (year=2024), and only a folder's own files are read; take them "
            "all with data.path='logs/*/*'",
        ),
        ({"logs___SUCCESS": ""}, "logs: the folder holds no file"),
        (
            {"logs__a_csv": HEADER + "1,1,5,1\n", "logs__b_csv": "user_id,item_id,rating\n1,1,5\n"},
            "logs/b.csv, line 1: no column timestamp",
        ),
    ],
)
def test_a_folder_that_is_no_table_is_refused(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    write(tmp_path, **files)
    assert refused(tmp_path, "logs").startswith(said)


def test_lines_number_the_users_of_one_file_alone(tmp_path: Path) -> None:
    write(tmp_path, logs__a_csv="1,2\n", logs__b_csv="1,2\n")
    for kind in ("matrix", "baskets"):
        with pytest.raises(CofilterError, match="logs: 2 files, and a line's number would be"):
            obtain(source(kind, path="logs"), tmp_path, tmp_path)


def test_a_pipe_a_socket_and_a_device_are_refused_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert (
            refused(tmp_path, "socket")
            == "socket: is a socket; a file with its content is expected"
        )
    assert refused(tmp_path, "pipe") == "pipe: is a named pipe; a file with its content is expected"
    assert refused(tmp_path, "/dev/zero").startswith("/dev/zero: is a device")


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, logs__a_csv=HEADER)
    (tmp_path / "logs").chmod(0)
    try:
        assert refused(tmp_path, "logs").startswith("logs: cannot be read (Permission denied)")
        assert refused(tmp_path, "logs/a.csv").startswith("logs/a.csv: cannot be read (Permission")
    finally:
        (tmp_path / "logs").chmod(0o700)


@pytest.mark.parametrize(
    ("path", "tracked"),
    [
        (None, NO_FILE),
        ("my/ratings.csv", "my/ratings.csv"),
        ("my", "my"),
        ("logs/2024-*.csv.gz", "logs"),
        ("logs/*/day=?/a.parquet", "logs"),
        ("/abs/logs/[ab].csv", "/abs/logs"),
        ("*.csv", "."),
        ("https://example.org/r.csv?x=*", NO_FILE),
        ("postgresql+psycopg://u@host/db", NO_FILE),
        ("sqlite:///my/file.db", "my/file.db"),
        ("sqlite:////abs/file.db", "/abs/file.db"),
    ],
)
def test_dvc_watches_the_local_file_or_folder(path: str | None, tracked: str) -> None:
    assert tracked_path(path) == tracked
    overrides = ["data=csv", f"data.path='{path}'"] if path else []
    assert compose(*overrides)["data_dependency"] == tracked


def test_times_of_two_forms_in_two_files_are_refused_by_both(tmp_path: Path) -> None:
    write(tmp_path, logs__a_csv=HEADER + "1,1,5,1577836800\n")
    write(tmp_path, logs__b_csv=HEADER + "1,2,5,2020-01-01\n")
    said = refused(tmp_path, "logs")
    assert "2 of logs/a.csv" in said
    assert "2 of logs/b.csv" in said


def test_columns_in_another_order_are_another_header(tmp_path: Path) -> None:
    write(tmp_path, logs__a_csv=HEADER + "1,1,5,1\n")
    write(tmp_path, logs__b_csv="item_id,user_id,rating,timestamp\n1,1,5,1\n")
    said = refused(tmp_path, "logs")
    assert said.startswith("logs/b.csv: has its columns in another order beside logs/a.csv")
