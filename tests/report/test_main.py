from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.report.__main__ import main


def test_draws_the_checkouts_page(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tmp_path) == 0
    assert (results / "report.html").is_file()
    assert "results/report.html" in capsys.readouterr().out


def test_without_results_it_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tmp_path) == 1
    assert "run the stage evaluate first" in capsys.readouterr().err
