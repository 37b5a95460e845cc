from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.report.board import main_board, ship, shown_metrics, whole_board
from cofilter.report.results import read_results


def test_the_best_of_each_column_is_the_only_bold_one(results: Path, tmp_path: Path) -> None:
    found = read_results(results, tmp_path)
    board = main_board(found.board, found.seconds, found.config)
    warm, *_ = board.groups
    for name, best in (("rmse", min), ("ndcg@5", max)):
        at = warm.names.index(name)
        values = found.board[f"warm_{name}"]
        bold = [row[at].best for row in warm.cells]
        assert bold == (values == best(values.dropna())).tolist()
        assert [row[at].text for row in warm.cells] == [
            "–" if pd.isna(value) else f"{value:.4f}" for value in values
        ]


def test_intervals_and_differences_stand_where_there_are_any(results: Path, tmp_path: Path) -> None:
    found = read_results(results, tmp_path)
    warm, everything, training = main_board(found.board, found.seconds, found.config).groups
    first = warm.cells[0][0]
    low, high = (found.board[f"warm_ndcg@5_{end}"].iloc[0] for end in ("low", "high"))
    assert first.interval == f"{low:.3f} – {high:.3f}"
    assert warm.names[1:4] == ["difference", "p (Holm)", "effect size"]
    assert warm.cells[0][2].text == "–"  # the best is not compared with itself
    assert everything.names[0] == "ndcg@5"
    assert [row[0].text for row in training.cells] == [
        f"{found.seconds[name]:.1f}" for name in found.board["model"]
    ]
    plain = found.board.drop(columns=[c for c in found.board if c.endswith(("_low", "_high"))])
    bare = main_board(plain.drop(columns="p_holm"), found.seconds.iloc[:0], found.config)
    assert bare.groups[0].cells[0][0].interval == ""
    assert "p (Holm)" not in bare.groups[0].names
    assert len(bare.groups) == 2


def test_the_whole_board_has_every_metric(results: Path, tmp_path: Path) -> None:
    found = read_results(results, tmp_path)
    warm, everything = whole_board(found.board, found.config).groups
    assert warm.names == everything.names
    assert {"coverage@5", "ndcg@50", "user_rmse", "consumed_popularity"} <= set(warm.names)


def test_the_model_to_ship_is_the_selected_one(results: Path, tmp_path: Path) -> None:
    found = read_results(results, tmp_path)
    told = ship(found.board, found.config)
    chosen = found.board[found.board["selected"]].iloc[0]
    assert told is not None
    assert told["model"] == chosen["model"]
    assert told["figures"]["on test, warm"] == f"{chosen['warm_ndcg@5']:.4f}"
    assert told["n_alike"] == found.board["best_set"].sum()
    assert told["alike"] == chosen["best_set"]
    assert ship(found.board.assign(selected=False), found.config) is None


def test_shown_metrics_hold_the_primary_once(config: EvaluateConfig) -> None:
    shown = shown_metrics(config)
    assert shown["warm"][0] == config.primary
    assert len(set(shown["warm"])) == len(shown["warm"])
    assert set(shown["all"]) < set(shown["warm"])
    assert shown_metrics(config.model_copy(update={"primary": "rmse"}))["warm"][0] == "rmse"
