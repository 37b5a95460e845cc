from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import cofilter
from cofilter.report.published import main, read_reproduction
from tests.checkout import Checkout, errors

SHORT = ("reproduce=r2_biased_mf", "reproduce.procedure.factors.epochs=2")


def table_of(folder: Path) -> pd.DataFrame:
    return read_reproduction(folder / "results/reproduction.csv").set_index(["what", "metric"])


def test_without_an_experiment_the_table_is_empty(finished: Checkout) -> None:
    assert table_of(finished.path).empty


def test_a_procedure_fills_its_table_keeps_its_model_and_resumes(checkout: Checkout) -> None:
    done = checkout.stage("reproduce", *SHORT, "hydra.run.dir=outputs/one")
    assert done.returncode == 0, done.stderr
    folder = checkout.path / "outputs/one"
    table = table_of(folder)
    rows = len(pd.read_parquet(checkout.path / "data/filtered.parquet"))
    assert table.at[("train", "rows"), "reproduced"] == rows - round(rows / 10)
    assert table["note"].str.startswith("published on ml_20m, measured on csv").any()
    model = cofilter.load(folder / "results/reproduction/model")
    assert model.recommend([1], 3, exclude_seen=False)[0].shape == (1, 3)
    files = {path.name for path in (folder / "results/reproduction").iterdir()}
    assert {"curves.csv", "recommendations.csv"} <= files

    again = checkout.stage("reproduce", *SHORT, "hydra.run.dir=outputs/again")
    assert again.returncode == 0, again.stderr
    one, two = folder / "results/reproduction.csv", checkout.path / "outputs/again"
    assert one.read_bytes() == (two / "results/reproduction.csv").read_bytes()


def test_without_an_experiment_the_claims_say_what_to_run(
    finished: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(finished.path) == 0
    assert "dvc exp run -S '+experiment=NAME'" in capsys.readouterr().out


def test_a_wrong_parameter_is_one_clear_line(checkout: Checkout) -> None:
    done = checkout.stage("reproduce", *SHORT, "reproduce.procedure.top_n=0")
    assert done.returncode == 2
    (line,) = errors(done)
    assert "reproduce.procedure.top_n" in line
