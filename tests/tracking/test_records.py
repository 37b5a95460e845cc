from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cofilter.tracking.records import as_html, size
from tests.tracking.runs import folders, tracker
from tests.tracking.wandb_log import read_run


def test_html_is_taken_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "chart.html"
    page.write_text("<p>RMSE é</p>", encoding="utf-8")
    assert as_html(page) == "<p>RMSE é</p>"


@pytest.mark.parametrize(("suffix", "media"), [("svg", "svg+xml"), ("png", "png")])
def test_an_image_is_set_into_a_page(tmp_path: Path, suffix: str, media: str) -> None:
    image = tmp_path / f"chart.{suffix}"
    image.write_bytes(b"\x00<svg/>")
    start, content = as_html(image).removesuffix('">').split(",")
    assert start == f'<img src="data:image/{media};base64'
    assert base64.b64decode(content) == image.read_bytes()


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"notes\.txt"):
        as_html(tmp_path / "notes.txt")


def test_size_counts_all_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"1" * 10)
    (tmp_path / "a" / "b" / "two").write_bytes(b"2" * 5)
    assert size(tmp_path / "a") == 15
    assert size(tmp_path / "a" / "one") == 10


def test_small_artifacts_are_copied_and_large_ones_are_not(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large.npz"
    small.mkdir()
    (small / "weights.npz").write_bytes(b"s" * 1000)
    large.write_bytes(b"l" * 2_000_000)
    with tracker(tmp_path, copy_artifacts_mb=1.0) as tracked:
        tracked.log_artifact("small", "model", small, ["best"])
        tracked.log_artifact("large", "model", large)
    run = read_run(folders(tmp_path)[0])
    assert "best" in run.artifacts["small"]
    (copy,) = (Path(file) for file in run.files["small"])
    assert copy.is_relative_to(tmp_path / "logs")
    assert copy.read_bytes() == b"s" * 1000
    assert run.files["large"] == [str(large)]
