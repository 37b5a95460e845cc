from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.core.io import (
    arrays_sha256,
    atomic_path,
    file_sha256,
    json_sha256,
    packed,
    read_json,
    read_table,
    table_sha256,
    unpacked,
    write_json,
    write_table,
    write_text,
)


def test_a_failed_write_leaves_the_old_content_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_write_takes_over_all_at_once(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_text(target, "old")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.parent == target.parent  # a rename between file systems is not atomic
    assert target.read_text() == "new"


def test_files_are_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_json_comes_back_and_equal_values_give_equal_bytes(tmp_path: Path) -> None:
    value = {"title": "Amélie", "rows": [1, 2.5, None], "b": {"z": 1, "a": 2}}
    write_json(tmp_path / "a.json", value)
    write_json(tmp_path / "b.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert "Amélie" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe"])
def test_a_bad_json_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json: (file not found|not readable)"):
        read_json(path)


def test_a_table_comes_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"user_id": ["007", "a"], "rating": [1.5, 2.0]})
    write_table(tmp_path / "a.parquet", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet"), table)
    assert list(read_table(tmp_path / "a.parquet", ["rating"])) == ["rating"]
    write_table(tmp_path / "b.parquet", table)
    assert file_sha256(tmp_path / "a.parquet") == file_sha256(tmp_path / "b.parquet")


@pytest.mark.parametrize("content", [None, b"", b"user_id,item_id\n1,2\n"])
def test_a_bad_table_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet: (file not found|not readable)"):
        read_table(path)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6))
def test_a_hash_of_arrays_sees_value_name_type_and_shape(values: list[int]) -> None:
    array = np.array(values)
    told = arrays_sha256({"a": array})
    assert told == arrays_sha256({"a": array.copy()[::-1][::-1]})
    others = [
        {"b": array},
        {"a": array + 1},
        {"a": array.astype(np.int32)},
        {"a": array[None]},
        {"a": array, "b": array},
    ]
    assert told not in {arrays_sha256(other) for other in others}


def test_a_hash_of_plain_values_does_not_see_the_order_of_keys() -> None:
    assert json_sha256({"a": 1, "b": 2}) == json_sha256({"b": 2, "a": 1})
    assert json_sha256({"a": 1}) != json_sha256({"a": 1.5})


TABLE = pd.DataFrame(
    {
        "item_id": np.array([1, 2, 3], dtype=np.int64),
        "title": ["a", "bc", "é"],
        "rating": np.array([1, 2.5, 3], dtype=np.float32),
    }
)


def test_a_table_has_the_hash_of_its_columns() -> None:
    columns = {
        "item_id": TABLE["item_id"].to_numpy(),
        "title.lengths": np.array([1, 2, 2], np.int64),
        "title.text": np.frombuffer("abcé".encode(), np.uint8),
        "rating": TABLE["rating"].to_numpy(),
    }
    assert table_sha256(TABLE) == arrays_sha256(columns)


def test_a_tables_hash_survives_parquet_and_other_storage(tmp_path: Path) -> None:
    expected = table_sha256(TABLE)
    write_table(tmp_path / "t.parquet", TABLE)
    assert table_sha256(read_table(tmp_path / "t.parquet")) == expected
    assert table_sha256(TABLE.astype({"title": object})) == expected
    assert table_sha256(pd.concat([TABLE, TABLE]).iloc[2:5].iloc[1:]) == table_sha256(TABLE[:2])
    assert table_sha256(pd.concat([TABLE[:1], TABLE[1:]])) == expected


@pytest.mark.parametrize("titles", [[], ["", "", ""]])
def test_a_table_without_text_has_a_hash(titles: list[str]) -> None:
    table = pd.DataFrame({"title": pd.Series(titles, dtype="str")})
    lengths = np.zeros(len(titles), np.int64)
    expected = {"title.lengths": lengths, "title.text": np.empty(0, np.uint8)}
    assert table_sha256(table) == arrays_sha256(expected)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.iloc[::-1],
        TABLE[["title", "item_id", "rating"]],
        TABLE.assign(title=["ab", "c", "é"]),
        TABLE.assign(rating=TABLE["rating"] + np.float32(1e-6)),
        TABLE.assign(rating=TABLE["rating"].astype(np.float64)),
        TABLE.rename(columns={"title": "name"}),
        TABLE.iloc[:2],
    ],
)
def test_any_change_changes_a_tables_hash(other: pd.DataFrame) -> None:
    assert table_sha256(other) != table_sha256(TABLE)


@given(st.lists(st.text(st.characters(), max_size=5), max_size=8))
def test_strings_are_packed_without_objects(texts: list[str]) -> None:
    arrays = {"numbers": np.arange(3), "ids": np.array(texts, object)}
    plain = packed(arrays)
    assert all(array.dtype.kind != "O" for array in plain.values())
    again = unpacked(plain)
    assert again["ids"].tolist() == texts
    assert again["numbers"].tolist() == [0, 1, 2]


def test_strings_that_run_together_have_other_hashes() -> None:
    one, other = (np.array(texts, object) for texts in (["ab", "c"], ["a", "bc"]))
    assert arrays_sha256({"ids": one}) != arrays_sha256({"ids": other})
