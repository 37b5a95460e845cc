from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import DataError
from cofilter.core.io import read_json, write_json
from cofilter.evaluation.files import FACTS
from cofilter.report import published, terminal
from cofilter.report.conclusion import conclusion, read_facts, refuse_other_data
from cofilter.report.terminal import read_leaderboard


@pytest.fixture
def facts(results: Path) -> dict[str, Any]:
    return read_facts(results)


def test_it_says_what_was_compared_what_ships_and_why(results: Path, facts: dict[str, Any]) -> None:
    lines = dict(conclusion(facts))
    assert list(lines) == ["data", "ship", "gain", "hits", "load"]
    rows = sum(part["rows"] for part in facts["split"]["parts"].values())
    assert lines["data"] == f"small, {rows} ratings, split global_temporal, test from 1970-01-12"
    board = read_leaderboard(results / "leaderboard.csv")
    (row,) = board[board["selected"]].to_dict("records")
    name = f"{row['family']}/{row['point']}"
    where = "on validation (no backtest: none was run)"
    told = re.escape(f"{name}, the best of 5 {where}: ndcg@5 {row['validation_ndcg@5']:.4f}")
    assert re.fullmatch(rf"{told}; next \S+ 0\.\d{{4}}", lines["ship"])
    assert lines["load"] == f'cofilter.load("models/{name}")'


def test_it_says_over_what_the_backtest_chose(facts: dict[str, Any]) -> None:
    told = {"chosen_on": "backtest", "figure": 0.1419, "windows": 5, "pairs": 1316, "note": None}
    chosen = facts["shipped"] | told | {"runner_up": None, "runner_up_figure": None}
    assert dict(conclusion(facts | {"shipped": chosen}))["ship"].endswith(
        "the best of 5 in a backtest of 5 windows (1,316 pairs of user and window): ndcg@5 0.1419"
    )


def test_the_gain_has_its_interval(results: Path, facts: dict[str, Any]) -> None:
    gain = {"over": "baseline/popularity", "difference": 0.0393, "low": 0.0012, "high": 0.0801}
    hits = {"k": 5, "shipped": 41.6, "over": 30.2, "low": 3.5, "high": 20.4}
    chosen = facts["shipped"] | {"gain": gain | {"users": 1052, "hits": hits}}
    lines = dict(conclusion(facts | {"shipped": chosen}))
    assert lines["gain"] == (
        "ndcg@5 +0.0393 [+0.0012, +0.0801] on test over baseline/popularity "
        "(warm, 1,052 users, 95 % interval)"
    )
    assert lines["hits"] == (
        "of 100 users 42 find something relevant among their 5, with baseline/popularity 30: "
        "+11.4 [+4, +20]"
    )


def test_the_ensemble_lies_elsewhere(facts: dict[str, Any]) -> None:
    chosen = facts["shipped"] | {"family": "ensemble", "point": "blend"}
    lines = dict(conclusion(facts | {"shipped": chosen}))
    assert lines["load"] == 'cofilter.load("results/ensemble")'


def test_without_a_selected_model_it_says_so(facts: dict[str, Any]) -> None:
    lines = dict(conclusion(facts | {"shipped": None}))
    assert lines.keys() == {"data", "ship"}
    assert lines["ship"] == "no model: none has ndcg@5 on validation or in the backtest"


def test_a_table_of_other_data_is_not_shown_as_if_it_were_this_one_s(
    results: Path, tmp_path: Path, facts: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Other parts in data/split: a run of other data has not reached its end."""
    refuse_other_data(tmp_path, facts)  # there is no split to compare with
    audit = tmp_path / "data" / "split" / "audit.json"
    write_json(audit, facts["split"])
    refuse_other_data(tmp_path, facts)
    assert terminal.main(tmp_path) == 0
    capsys.readouterr()
    changed = facts["split"]["parts"]["test"] | {"sha256": "ff"}
    parts = facts["split"]["parts"] | {"test": changed}
    write_json(audit, facts["split"] | {"kind": "random", "instants": None, "parts": parts})
    write_json(tmp_path / "data" / "source.json", {"name": "other"})
    with pytest.raises(DataError, match=r"is of small, .* now holds other, .* split random"):
        refuse_other_data(tmp_path, facts)
    assert terminal.main(tmp_path) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "`make repro` makes results of these" in printed.err


def test_claims_are_not_set_beside_a_leaderboard_of_other_data(
    results: Path, tmp_path: Path, facts: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    header = "system,claim,what,metric,published,reproduced,model,column,note\n"
    (results / "reproduction.csv").write_text(header)
    assert published.main(tmp_path) == 0
    parts = {name: part | {"sha256": "ff"} for name, part in facts["split"]["parts"].items()}
    write_json(tmp_path / "data" / "split" / "audit.json", facts["split"] | {"parts": parts})
    assert published.main(tmp_path) == 1
    assert "`make repro`" in capsys.readouterr().err


def test_facts_of_an_earlier_version_are_refused(results: Path) -> None:
    facts = read_json(results / FACTS)
    del facts["shipped"]
    write_json(results / FACTS, facts)
    with pytest.raises(DataError, match="no shipped; run the stage evaluate first"):
        read_facts(results)
    (results / FACTS).unlink()
    with pytest.raises(DataError, match="file not found; run the stage evaluate first"):
        read_facts(results)
