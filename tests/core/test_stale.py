from __future__ import annotations

from pathlib import Path

from cofilter.core.stale import Stale


def test_a_folder_is_as_large_as_its_files_and_goes_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(bytes(100))
    (folder.parent / "y").write_bytes(bytes(11))
    (folder / "link").symlink_to(tmp_path / "other")
    (tmp_path / "other").write_bytes(bytes(1000))
    found = Stale(tmp_path / "a", "test")
    assert found.size == 111
    found.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_file_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(3))
    found = Stale(tmp_path / "x", "test")
    assert found.size == 3
    found.remove()
    found.remove()
    assert list(tmp_path.iterdir()) == []
