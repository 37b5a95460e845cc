from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.core.errors import ConfigError, DataError
from cofilter.core.io import read_json, write_json
from cofilter.evaluation import files
from cofilter.evaluation.config import EvaluateConfig
from cofilter.report.results import read_results


def test_what_evaluate_wrote_is_read_back(
    results: Path, tmp_path: Path, config: EvaluateConfig
) -> None:
    found = read_results(results, tmp_path)
    assert found.config == config
    assert found.facts["split"]["kind"] == "global_temporal"
    assert found.seconds["knn/item"] == 5.5
    assert set(found.seconds.index) == set(found.board["model"])
    assert found.notes[0].startswith("too few users to rank")
    assert found.tables[files.LEAK].empty
    assert not found.tables[files.BANDS].empty


def test_of_each_kind_the_point_that_validation_prefers(results: Path, tmp_path: Path) -> None:
    found = read_results(results, tmp_path)
    chosen = found.representatives()
    als = found.board[found.board["family"] == "als"]
    best = als.loc[als[f"validation_{found.config.primary}"].idxmax(), "model"]
    assert [name for name in chosen if name.startswith("als/")] == [best]
    assert len(chosen) == len(found.board) - 1
    assert chosen == [name for name in found.board["model"] if name in chosen]


def test_files_that_cannot_be_read_are_named(results: Path, tmp_path: Path) -> None:
    (results / files.LEAK).write_text("")
    assert read_results(results, tmp_path).tables[files.LEAK].empty
    facts = read_json(results / files.FACTS)
    write_json(results / files.FACTS, facts | {"evaluate": facts["evaluate"] | {"other": 1}})
    with pytest.raises(ConfigError, match=r"evaluate\.other"):
        read_results(results, tmp_path)
    (results / files.RMSE_BY_DIM).unlink()
    with pytest.raises(DataError, match="rmse_by_dim"):
        read_results(results, tmp_path)
