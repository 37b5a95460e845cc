from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.report.__main__ import main


def test_without_results_it_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tmp_path) == 1
    assert "run the stage evaluate first" in capsys.readouterr().err


def test_it_draws_the_checkout_s_page_or_with_if_changed_what_has_changed_alone(
    results: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, board = results / "report.html", results / "leaderboard.csv"
    assert main(tmp_path) == 0
    first = page.stat().st_mtime_ns
    assert "results/report.html" in capsys.readouterr().out

    board.touch()  # as DVC does
    monkeypatch.chdir(tmp_path)
    assert main(if_changed=True) == 0  # a folder by another name
    assert page.stat().st_mtime_ns == first
    assert capsys.readouterr().out == ""

    timings = tmp_path / "logs" / "timings"
    timings.mkdir(parents=True, exist_ok=True)
    (timings / "new-model.json").write_text('{"fit_seconds": 1.0}')
    assert main(tmp_path, if_changed=True) == 0
    assert page.stat().st_mtime_ns > first
