"""Runs as wandb writes them: what of their local files can go."""

from __future__ import annotations

import os
from pathlib import Path

import wandb

from cofilter.core.paths import LOGS
from cofilter.tracking.stale import stale_runs
from tests.tracking.runs import folders, tracker


def run_with_artifact(root: Path, content: bytes) -> Path:
    """The folder of an offline run that logged a model, a copy of which it staged."""
    before = set(folders(root))
    path = root / "model.bin"
    path.write_bytes(content)
    with tracker(root) as tracked:
        tracked.start()
        tracked.log_artifact("model", "model", path, ["best"])
    wandb.teardown()
    (new,) = set(folders(root)) - before
    return new


def age(root: Path) -> None:
    for copy in (root / LOGS).glob("wandb-data/artifacts/staging/*"):
        os.utime(copy, (0, 0))


def stale(root: Path) -> dict[str, str]:
    return {each.path.name: each.why for each in stale_runs(root / LOGS)}


def test_a_run_that_was_never_sent_stays_with_its_copies(tmp_path: Path) -> None:
    run_with_artifact(tmp_path, b"one")
    age(tmp_path)
    assert list((tmp_path / LOGS).glob("wandb-data/artifacts/staging/*"))
    assert stale(tmp_path) == {}


def test_a_run_that_was_sent_goes_and_then_its_copies(tmp_path: Path) -> None:
    sent, kept = (run_with_artifact(tmp_path, content) for content in (b"one", b"two"))
    (file,) = sent.glob("*.wandb")
    file.with_name(f"{file.name}.synced").touch()
    found = stale(tmp_path)
    assert found == {sent.name: "tracked run, sent to W&B"}  # its copies are young
    age(tmp_path)
    for each in stale_runs(tmp_path / LOGS):
        each.remove()
    staging = (tmp_path / LOGS / "wandb-data" / "artifacts" / "staging").iterdir()
    left = [path.read_bytes() for folder in staging for path in _files(folder)]
    assert left == [b"two"]
    assert folders(tmp_path) == [kept]


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]


def test_a_run_that_a_newer_folder_holds_in_full_goes(tmp_path: Path) -> None:
    runs = tmp_path / LOGS / "wandb"
    for name in ("20260101_100000-aa", "20260102_100000-aa", "20260101_100000-bb"):
        (runs / f"offline-run-{name}").mkdir(parents=True)
    assert stale(tmp_path) == {
        "offline-run-20260101_100000-aa": "tracked run, complete in a newer folder"
    }


def test_a_name_that_crosses_two_blocks_of_a_run_s_file_is_found(tmp_path: Path) -> None:
    copy = tmp_path / "wandb-data" / "artifacts" / "staging" / "tmpabcdefg"
    copy.mkdir(parents=True)
    os.utime(copy, (0, 0))
    run = tmp_path / "wandb" / "offline-run-20260101_100000-aa"
    run.mkdir(parents=True)
    content = bytes(32768 - 4) + b"tmpa" + b"header7" + b"bcdefg" + bytes(50)
    (run / "run-aa.wandb").write_bytes(content)
    assert list(stale_runs(tmp_path)) == []
    (run / "run-aa.wandb").write_bytes(content.replace(b"bcdefg", b"bcdefh"))
    (found,) = stale_runs(tmp_path)
    assert found.path == copy
