from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.core.errors import DataError, SourceError, TooLargeError
from cofilter.core.io import file_sha256
from cofilter.sources import unpack
from cofilter.sources.files import open_bundle, open_file
from cofilter.sources.kinds import what_is
from tests.sources.archives import zipped


def test_members_of_a_zip_and_of_a_folder_read_the_same(tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml" / "ratings.csv").write_bytes(b"abc")
    archive = tmp_path / "ml.zip"
    archive.write_bytes(zipped({"ml/ratings.csv": b"abc"}))
    for bundle in (open_bundle(tmp_path, "here"), open_bundle(archive, "ml.zip")):
        member = bundle.find("ratings.csv")
        assert member is not None
        assert member.read() == b"abc" == bundle.get("ml/ratings.csv").read()
        assert bundle.find("movies.csv") is None


def test_the_shallower_of_two_files_is_found_and_a_tie_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"ratings.csv": b"top", "old/ratings.csv": b"old"}))
    found = open_bundle(path, "x.zip").find("ratings.csv")
    assert found is not None
    assert found.read() == b"top"
    path.write_bytes(zipped({"a/ratings.csv": b"1", "b/ratings.csv": b"2"}))
    with pytest.raises(DataError, match=r"more than once: a/ratings.csv, b/ratings.csv"):
        open_bundle(path, "x.zip").find("ratings.csv")


def test_a_missing_member_is_named_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a/u.data": b"1", "README": b""}))
    with pytest.raises(DataError, match=r"x.zip: no member a/u.item \(there are: README, a/u.data"):
        open_bundle(path, "x.zip").get("a/u.item")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"a": b"1" * 5000})[:-30], "truncated"),
        (b"<!DOCTYPE html><html>", "an HTML page, not a zip archive"),
        (b"a,b\n1,2\n", "a text file, not a zip archive"),
        (b"PAR1....", "a Parquet file, not a zip archive"),
        (b"", "is empty"),
    ],
    ids=("truncated", "html", "text", "parquet", "empty"),
)
def test_what_is_no_zip_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        open_bundle(path, "x.zip")


def test_a_member_that_takes_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"u.data": b"1" * (64 << 20)}))
    free = unpack.psutil.virtual_memory().available
    monkeypatch.setattr(unpack, "SHARE", (32 << 20) / free)
    with pytest.raises(TooLargeError, match=r"x.zip: u.data: holds more than 0.0 GiB unpacked"):
        open_bundle(path, "x.zip").get("u.data").read()


def test_a_damaged_member_is_an_error(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": bytes(range(256)) * 40}))
    content[60] ^= 0xFF
    path = tmp_path / "x.zip"
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"x.zip: a: the archive is damaged"):
        open_bundle(path, "x.zip").get("a").read()


def test_description_names_the_archive_or_the_files_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a": b"1"}))
    expected = {"name": "x.zip", "sha256": file_sha256(path), "bytes": path.stat().st_size}
    assert open_bundle(path, "given").describe([]) == [expected]
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a.csv").write_bytes(b"12")
    bundle = open_bundle(tmp_path / "f", "f")
    member = bundle.get("a.csv")
    digest = file_sha256(tmp_path / "f" / "a.csv")
    expected = {"name": "a.csv", "sha256": digest, "bytes": 2}
    assert bundle.describe([(member, member.read())]) == [expected]


def test_a_path_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone.zip: no such file or folder"):
        open_bundle(tmp_path / "gone.zip", "gone.zip")
    with pytest.raises(SourceError, match=r"gone.csv: no such file"):
        open_file(tmp_path / "gone.csv", "gone.csv")
    with pytest.raises(SourceError, match="is a folder"):
        open_file(tmp_path, "folder")


def test_ordinary_text_is_nothing_special() -> None:
    assert what_is(b"userId,movieId\n1,2\n") is None
    assert what_is(b"\x00\x01") == "a binary file"
