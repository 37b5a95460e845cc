from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cofilter.core.columns import TIMESTAMP, USER
from cofilter.core.errors import LeakError
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.evaluate import Request, evaluate
from cofilter.evaluation.files import PRUNING
from cofilter.preparation.audit import PRUNED, audit
from cofilter.preparation.filter import FilterConfig, filter_and_prune
from cofilter.preparation.pruned import pruned_test
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.store import load
from cofilter.scoring.scores import score
from tests.evaluation.trained import POINTS, train


def test_both_figures_are_those_of_scoring_with_and_without_what_was_pruned(
    ratings: pd.DataFrame,
    split: SplitConfig,
    config: EvaluateConfig,
    model_config: ModelConfig,
    tmp_path: Path,
) -> None:
    instants = split_instants(split, ratings[TIMESTAMP])
    kept, _, removed = filter_and_prune(ratings, FilterConfig(min_user_ratings=6), instants)
    parts, report = split_ratings(kept, split, instants)
    facts = audit(parts, instants, split, report["duplicates"])
    pruned, facts[PRUNED] = pruned_test(removed, instants, split)
    assert pruned is not None
    assert len(pruned) > 3
    assert not set(pruned[USER]) & set(parts.train[USER])
    train(parts, tmp_path / "models", config, model_config, refit=False)
    request = Request(
        parts, facts, split, POINTS, tmp_path / "models", config,
        pruned=pruned, tuned={"baseline/bias": "24 trials"},
    )  # fmt: skip
    board = evaluate(request, tmp_path / "results").leaderboard.set_index("point")
    assert board["tuned"].dropna().to_dict() == {"bias": "24 trials"}
    table = pd.read_csv(tmp_path / "results" / PRUNING)
    both = pd.concat([parts.test, pruned], ignore_index=True)
    assert table["model"].drop_duplicates().tolist() == [f"baseline/{p}" for p in board.index]
    for row in table.to_dict("records"):
        point, metric = row["model"].partition("/")[2], row["metric"]
        model = load(tmp_path / "models" / "baseline" / point)
        scores = score(model, parts.train, parts.validation, both, config).summary()
        assert row["unpruned"] == pytest.approx(scores["all"][metric])
        assert row["pruned"] == pytest.approx(board.at[point, f"all_{metric}"])
        assert row["inflation"] == pytest.approx(row["pruned"] - row["unpruned"])
        assert (row["rows_pruned"], row["rows_unpruned"]) == (len(parts.test), len(both))
        if "@" in metric:
            assert row["users_pruned"] == board.at[point, "all_ranked_users"]
            assert row["users_unpruned"] == scores["counts"]["all"]["ranked_users"]
            assert row["users_unpruned"] > row["users_pruned"]

    other = Request(
        parts, facts, split, POINTS, tmp_path / "models", config, pruned=pruned.iloc[1:]
    )
    with pytest.raises(LeakError, match="do not match the audit"):
        evaluate(other, tmp_path / "other")
    del facts[PRUNED]
    plain = Request(parts, facts, split, POINTS, tmp_path / "models", config)
    evaluate(plain, tmp_path / "plain")
    assert pd.read_csv(tmp_path / "plain" / PRUNING).empty
