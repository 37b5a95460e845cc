"""Published splits as files: a folder of parts, or one file that names the part of each row."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core import paths
from cofilter.core.errors import CofilterError, ConfigError, DataError
from cofilter.core.io import read_table
from cofilter.sources.source import Obtained, obtain, save
from tests.sources.configs import source

HEADERLESS: dict[str, Any] = {
    "columns": {"user": 1, "item": 2, "rating": 3, "timestamp": None},
    "has_header": False,
}
COLUMNS = ["user_id", "item_id", "rating", "part"]


def get(base: Path, **changes: Any) -> Obtained:
    return obtain(source("csv", **{"path": "published", **changes}), base / "downloads", base)


def write(base: Path, **files: str) -> Path:
    """A folder ``published``; in names ``_`` stands for the dot."""
    folder = base / "published"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("separator", "delimiter"), [(" ", " "), ("\t", r"\t"), ("::", "::")])
def test_a_folder_of_headerless_files(tmp_path: Path, separator: str, delimiter: str) -> None:
    lines = {"train_txt": "1 7 5\n2 8 3\n", "test_txt": "2 7 4\n", "README_md": "a split\n"}
    write(tmp_path, **{name: text.replace(" ", separator) for name, text in lines.items()})
    obtained = get(tmp_path, **HEADERLESS, delimiter=delimiter)
    expected = [(1, 7, 5.0, "train"), (2, 8, 3.0, "train"), (2, 7, 4.0, "test")]
    wanted = pd.DataFrame(expected, columns=COLUMNS)
    pd.testing.assert_frame_equal(obtained.ratings, wanted.astype({"rating": "float32"}))
    assert obtained.report["parts"] == {"train": 2, "validation": 0, "test": 1}
    assert [file["name"] for file in obtained.report["files"]] == ["train.txt", "test.txt"]
    save(obtained, tmp_path)
    pd.testing.assert_frame_equal(read_table(tmp_path / paths.RATINGS), obtained.ratings)


def test_each_file_has_its_own_format_and_ids_get_one_type(tmp_path: Path) -> None:
    folder = write(tmp_path, test_csv="user_id,item_id,rating,timestamp\n3,007,4,30\n")
    train = pd.DataFrame({"user_id": [3, 4], "item_id": [7, 8], "rating": [1.0, 2.0]})
    train.assign(timestamp=[10, 20]).to_parquet(folder / "train.parquet")
    middle = b"user_id,item_id,rating,timestamp\n4,9,5,25\n"
    (folder / "validation.csv.gz").write_bytes(gzip.compress(middle))
    ratings = get(tmp_path).ratings
    assert ratings["user_id"].tolist() == [3, 4, 4, 3]
    assert ratings["item_id"].tolist() == ["7", "8", "9", "007"]
    assert ratings["timestamp"].tolist() == [10, 20, 25, 30]
    assert ratings["part"].tolist() == ["train", "train", "validation", "test"]


@given(st.lists(st.sampled_from(["train", "validation", "test"]), min_size=1, max_size=12))
def test_a_part_column_says_what_a_folder_says(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    parts = ["train", *parts, "test"]
    table = pd.DataFrame({"user_id": range(len(parts)), "item_id": 1, "rating": 2.0, "fold": parts})
    base = tmp_path_factory.mktemp("published")
    table.to_csv(base / "all.csv", index=False)
    columns = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": None}
    one = get(base, path="all.csv", columns=columns | {"part": "fold"}).ratings
    assert one["part"].tolist() == parts
    for name, rows in table.groupby("fold"):
        write(base, **{f"{name}_csv": rows.drop(columns="fold").to_csv(index=False)})
    many = get(base, columns=columns).ratings
    key = ["part", "user_id"]
    pd.testing.assert_frame_equal(*(
        each.sort_values(key, ignore_index=True) for each in (one, many)
    ))  # fmt: skip


def test_invalid_rows_are_skipped_in_each_file_and_counted_together(tmp_path: Path) -> None:
    write(tmp_path, train_txt="1 7 5\n1 8 x\n", test_txt="2 7 y\n2 7 3\n")
    with pytest.raises(DataError, match=r'published/train.txt, row 2, rating: "x"'):
        get(tmp_path, **HEADERLESS, delimiter=" ")
    report = get(tmp_path, **HEADERLESS, delimiter=" ", invalid="skip").report
    assert report["skipped"]["rating_not_a_number"] == 2


ROW = "1,7,5\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"train_csv": ROW}, "published: no test.*; a folder is a published split of"),
        ({"test_csv": ROW}, "published: no train.*; a folder is"),
        (
            {"train_csv": ROW, "train_txt": ROW, "test_csv": ROW},
            "published: train.csv and train.txt are the same part; leave one of them there",
        ),
        ({"train_csv": ROW, "test_csv": ""}, "published/test.csv: the file is empty"),
        (
            {"train_csv": ROW, "test_csv": ROW, "valid_csv": ROW},
            "published: valid.csv is none of train.*, validation.* and test.*, and names are not",
        ),
        (
            {"train_csv": ROW, "test_csv": "1,7\n"},
            "published/test.csv, line 1: no column 3 (the columns are: 1, 2)",
        ),
    ],
)
def test_a_folder_that_is_no_split_is_refused(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    write(tmp_path, **files)
    with pytest.raises(CofilterError) as refused:
        get(tmp_path, **HEADERLESS)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_what_dvc_add_leaves_beside_a_file_is_no_second_one(tmp_path: Path) -> None:
    write(tmp_path, train_csv=ROW, test_csv=ROW, train_csv_dvc="outs: []\n")
    assert get(tmp_path, **HEADERLESS).report["rows"] == 2


def test_a_folder_and_a_part_column_exclude_each_other(tmp_path: Path) -> None:
    write(tmp_path, train_csv=ROW, test_csv=ROW)
    columns = {"user": 1, "item": 2, "rating": 3, "timestamp": None, "part": 4}
    with pytest.raises(ConfigError, match=r"data.columns.part: 4, but data.path=published is a"):
        get(tmp_path, columns=columns, has_header=False)
