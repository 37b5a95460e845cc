"""DVC notices what lies behind a ``data.path`` that is more than one file."""

from __future__ import annotations

from pathlib import Path

from cofilter.core.io import read_json
from cofilter.core.paths import SOURCE
from tests.checkout import RATINGS, Checkout


def test_a_further_file_of_a_glob_is_downloaded(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "checkout")
    header, *lines = (checkout.path / RATINGS).read_text(encoding="utf-8").splitlines(True)
    logs = checkout.path / "logs_in"
    logs.mkdir()

    def write(name: str, rows: list[str]) -> None:
        (logs / name).write_text("".join([header, *rows]), encoding="utf-8")

    write("a.csv", lines[:100])
    checkout.compose('data.path="logs_in/*.csv"')
    checkout.dvc("repro", "download")
    assert read_json(checkout.path / SOURCE)["rows"] == 100
    assert "didn't change" in checkout.dvc("repro", "download").stdout
    write("b.csv", lines[100:150])
    checkout.dvc("repro", "download")
    found = read_json(checkout.path / SOURCE)
    assert found["rows"] == 150
    assert [file["name"] for file in found["files"]] == ["a.csv", "b.csv"]
