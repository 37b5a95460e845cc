from __future__ import annotations

from pathlib import Path

import pytest
import wandb

from cofilter.tracking import artifacts
from cofilter.tracking.data import data_of


def folder(root: Path) -> Path:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "one.txt").write_text("one")
    (root / "a" / "b" / "two.txt").write_text("two")
    return root / "a"


def test_a_reference_has_the_digest_and_the_checksums_that_wandb_gives(tmp_path: Path) -> None:
    data = data_of("a", "dataset", [folder(tmp_path)])
    expected = wandb.Artifact("a", type="dataset")
    expected.add_reference((tmp_path / "a").as_uri())
    drafted = artifacts.draft(data).manifest.entries
    assert {name: (e.ref, e.digest, e.size) for name, e in drafted.items()} == {
        name: (e.ref, e.digest, e.size) for name, e in expected.manifest.entries.items()
    }
    assert artifacts.draft(data).digest == expected.digest


def test_logged_files_have_the_digest_of_a_reference_to_them_from_any_place(tmp_path: Path) -> None:
    data = data_of("a", "dataset", [folder(tmp_path)])
    copied = wandb.Artifact("a", type="dataset")
    copied.add_dir(str(tmp_path / "a"), policy="immutable")
    assert artifacts.draft(data).digest == copied.digest
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    moved = data_of("a", "dataset", [tmp_path / "elsewhere"])
    assert artifacts.draft(moved).digest == copied.digest
    (tmp_path / "elsewhere" / "one.txt").write_text("1")
    changed = data_of("a", "dataset", [tmp_path / "elsewhere"])
    assert artifacts.draft(changed).digest != copied.digest


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        data_of("a", "dataset", [tmp_path / "absent"])


def test_a_size_is_that_of_all_files(tmp_path: Path) -> None:
    assert artifacts.size(folder(tmp_path)) == 6
    assert artifacts.size(tmp_path / "a" / "one.txt") == 3
