from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from cofilter.core.config import plain
from cofilter.core.errors import DataError
from cofilter.core.io import write_json, write_text
from cofilter.core.parts import PARTS
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.folds import summary
from cofilter.evaluation.leaderboard import leaderboard
from cofilter.evaluation.shipping import shipped
from cofilter.report.terminal import (
    PIPE_WIDTH,
    print_folds,
    print_leaderboard,
    print_reranked,
    read_leaderboard,
)
from cofilter.report.timings import read_timings
from stages.forking.start import forking
from tests.evaluation.test_leaderboard import entry

NOTES = ["too few users to rank: 3", "not temporal: split kfold"]


@pytest.fixture
def written(tmp_path: Path, config: EvaluateConfig) -> Path:
    entries = [
        entry(config, "10", warm=0.3, validation=0.1),
        entry(config, "20", warm=0.2, validation=0.4),
        entry(config, "mean", warm=None, validation=None, family="baseline"),
    ]
    table, chosen = leaderboard(entries, config, NOTES), shipped(entries, config)
    write_text(tmp_path / "results" / "leaderboard.csv", table.to_csv(index=False))
    parts = {name: {"rows": 5, "sha256": name} for name in PARTS}
    audit = {"kind": "random", "parts": parts, "instants": None}
    facts = {"evaluate": plain(config), "split": audit, "source": {"name": "small"}}
    facts |= {"feedback": "ratings", "left_out": {}, "trained": {"rows": 12, "until": None}}
    write_json(tmp_path / "results" / "facts.json", facts | {"shipped": plain(chosen)})
    write_json(tmp_path / "data" / "split" / "audit.json", audit)
    write_json(
        tmp_path / "logs" / "timings" / "mf-20.json",
        {"fit_seconds": 3.0, "refit_seconds": 2.25, "ratings_per_second": 1e6},
    )
    return tmp_path


def printed(table: pd.DataFrame, times: dict[str, float], width: int) -> list[str]:
    out = io.StringIO()
    print_leaderboard(table, times, Console(file=out, width=width, highlight=False))
    return out.getvalue().splitlines()


def test_a_pipe_gets_whole_rows(written: Path) -> None:
    table = read_leaderboard(written / "results" / "leaderboard.csv")
    times = read_timings(written / "logs" / "timings")
    assert times == {"mf-20": 5.25}
    lines = printed(table, times, PIPE_WIDTH)
    chosen = next(line for line in lines if "mf/20 *" in line)
    assert "0.2000 [0.19, 0.22]" in chosen
    assert [line.split()[1] for line in lines if line.startswith(" 1")] == ["≈"]
    assert any(line.startswith("≈ not told from the best") for line in lines)
    assert chosen.rstrip().endswith("5.2")
    assert [line for line in lines if line.startswith("!")] == [f"! {note}" for note in NOTES]
    assert [word for line in lines for word in line.split() if "mf/" in word] == ["mf/10", "mf/20"]


@pytest.mark.parametrize("width", [30, 45, 60, 80, 120])
def test_a_narrow_terminal_gets_fewer_columns_but_every_model(written: Path, width: int) -> None:
    table = read_leaderboard(written / "results" / "leaderboard.csv")
    lines = printed(table, {}, width)
    assert max(map(len, lines)) <= width
    rows = [line for line in lines if "mf/" in line or "baseline/mean" in line]
    assert len(rows) == 3
    assert "0.3000" in rows[0]


def shown(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = forking({**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")})
    command = ["python", "-m", "cofilter.report.terminal"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_module_prints_and_tells_where_things_lie(written: Path) -> None:
    run = shown(written)
    assert run.returncode == 0, run.stderr
    assert "mf/20 *" in run.stdout
    assert run.stdout.splitlines()[-4:] == [
        "data: small, 15 ratings, split random",
        "ship: mf/20, the best of 2 on validation (no backtest: none was run): ndcg@5 0.4000; "
        "next mf/10 0.1000",
        "gain: none to state: it is a plain baseline itself, or there is none to compare with",
        'load: cofilter.load("models/mf/20")',
    ]
    for place in ("results/report.html", "results/leaderboard.csv", "models", "logs"):
        assert place in run.stdout
    (written / "results" / "leaderboard.csv").unlink()
    failed = shown(written)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "run the stage evaluate first" in failed.stderr


def test_a_file_that_is_no_leaderboard_is_refused(tmp_path: Path) -> None:
    write_text(tmp_path / "other.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match="no column rank"):
        read_leaderboard(tmp_path / "other.csv")


def test_folds_show_mean_and_spread() -> None:
    results = pd.DataFrame(
        {
            "method": ["a", "a"],
            "fold": [0, 1],
            "rmse": [1.0, 0.8],
            "mae": [0.5, 0.5],
            "rows": [10, 10],
            "fallback_share": [0.0, 0.1],
        }
    )
    out = io.StringIO()
    print_folds(summary(results), Console(file=out, width=100))
    assert "0.9000 ± 0.1414" in out.getvalue()
    assert "5.00%" in out.getvalue()
    out = io.StringIO()
    print_folds(summary(results.iloc[:1]), Console(file=out, width=100))
    assert "±" not in out.getvalue()


def test_re_ranked_lists_stand_in_a_table_of_their_own() -> None:
    rows = [
        {"model": "ease/rating", "ndcg@10": "0.2"},
        {"model": "ease/rating+mmr0.5", "ndcg@10": "0.1"},
    ]
    for shown, lines in ((rows, 2), (rows[:1], 0)):
        out = io.StringIO()
        print_reranked(shown, Console(file=out, width=PIPE_WIDTH))
        assert sum("ease/rating" in line for line in out.getvalue().splitlines()) == lines
