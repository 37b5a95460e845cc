"""Each system's procedure runs, with few epochs, and fills the lines that its file announces."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from cofilter.core.errors import ConfigError
from cofilter.reproduction.config import ReproduceConfig
from cofilter.reproduction.lab import Findings
from cofilter.reproduction.procedures import PROCEDURES, procedure_of
from cofilter.reproduction.table import NOT_MEASURED, reproduction_table
from tests.reproduction.conftest import MakeLab
from tests.reproduction.systems import system

FEW = {"epochs": 4, "dim": 3}


def shortened(name: str, procedure: dict[str, Any]) -> dict[str, Any]:
    """The procedure with few epochs and short factors."""
    short = dict(procedure)
    for key in ("factors", "bpr", "svd", "svdpp"):
        if isinstance(short.get(key), dict):
            short[key] = short[key] | FEW
    if name == "r1_memory_vs_model":
        short |= {"dims": [3, 2], "validate_every": 2, "sample": [101, 7000]}
        compared = short["comparison"]
        few = compared["filter"] | {"top_users": 15, "top_items": 10, "keep_pairs": []}
        neighbours = {"filter": few, "factors": compared["factors"] | FEW, "test_rows": 20}
        short["comparison"] = compared | neighbours
    if name == "r3_implicit":
        short["grid"] = {"factors": [3], "regularization": [0.01], "iterations": [2]}
        short["network"] = short["network"] | {
            "epochs": 2, "schedule": [[1, 0.005], [1, 0.001]], "dim": 4, "hidden": [4],
        }  # fmt: skip
    if name == "r3_svdpp_grid":
        short |= {"factors": [3, 2], "epochs": [2], "lr": [0.005], "regularization": [0.1]}
    if name == "r4_notebook":
        short["seeds"] = [0, 1]
        for model in ("dot", "biased", "network"):
            rates = [[1, rate] for _, rate in short[model]["schedule"]]
            short[model] = short[model] | {"dim": 3, "schedule": rates, "epochs": 3}
        short["persons"] = short["persons"] | {"movies": 12, "at_least": 2, "share": 0.4}
    return short


def found(name: str, ratings: pd.DataFrame, lab_of: MakeLab) -> tuple[ReproduceConfig, Findings]:
    config, procedure = system(name)
    config = config.model_copy(update={"procedure": shortened(name, procedure)})
    return config, procedure_of(config)(lab_of(ratings))


@pytest.mark.parametrize("name", sorted(PROCEDURES))
def test_every_procedure_runs_and_measures(
    name: str, ratings: pd.DataFrame, lab_of: MakeLab
) -> None:
    config, findings = found(name, ratings, lab_of)
    keys = [(figure.what, figure.metric) for figure in findings.figures]
    assert len(keys) == len(set(keys))
    assert any(figure.value is not None for figure in findings.figures)
    table = reproduction_table(config, findings.figures, "elsewhere")
    assert (table["system"] == name).all()
    published = table[table["published"].notna()]
    assert published["note"].str.startswith("published on").all()
    measured = table[~table["note"].str.contains(NOT_MEASURED)]
    assert measured["reproduced"].notna().sum() >= len(findings.figures) // 2


def test_an_impossible_parameter_is_named() -> None:
    config, procedure = system("r2_biased_mf")
    broken = config.model_copy(update={"procedure": procedure | {"top_n": 0}})
    with pytest.raises(ConfigError, match=r"reproduce\.procedure\.top_n"):
        procedure_of(broken)


def test_without_a_system_nothing_is_found(ratings: pd.DataFrame, lab_of: MakeLab) -> None:
    nobody = ReproduceConfig(system=None, claim="", data=None, lines=(), procedure={})
    findings = procedure_of(nobody)(lab_of(ratings))
    assert reproduction_table(nobody, findings.figures, "ml_100k").empty
