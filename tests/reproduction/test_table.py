from __future__ import annotations

import pytest

from cofilter.reproduction.config import Line, ReproduceConfig
from cofilter.reproduction.lab import Figure
from cofilter.reproduction.table import COLUMNS, reproduction_table

CONFIG = ReproduceConfig(
    system="r2_biased_mf", claim="it works", data="ml_20m", procedure={},
    lines=(Line(what="best", metric="rmse", published=0.79), Line(what="lost", metric="rmse")),
)  # fmt: skip


def test_lines_come_first_and_what_else_was_measured_after_them() -> None:
    figures = [Figure("more", "count", 3.0), Figure("best", "rmse", 0.8, "epoch 2")]
    table = reproduction_table(CONFIG, figures, "ml_20m")
    assert list(table.columns) == COLUMNS
    assert table["what"].tolist() == ["best", "lost", "more"]
    assert table["note"].tolist() == ["epoch 2", "not measured here", ""]
    assert table["reproduced"].tolist()[0] == 0.8


def test_other_data_leaves_the_comparison_open() -> None:
    table = reproduction_table(CONFIG, [Figure("best", "rmse", 0.9)], "ml_100k")
    assert table["note"][0] == "published on ml_20m, measured on ml_100k: the comparison is open"


def test_a_figure_is_named_once() -> None:
    line = {"what": "a", "metric": "b"}
    with pytest.raises(ValueError, match="twice"):
        ReproduceConfig.model_validate(
            {"system": "r2_biased_mf", "claim": "", "data": None, "lines": [line] * 2,
             "procedure": {}}
        )  # fmt: skip
