from __future__ import annotations

import pandas as pd
import pytest

from cofilter.core.errors import ConfigError
from cofilter.models.baseline.model import BiasBaseline
from cofilter.models.knn.model import UserKNN
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.training.points import make_method
from stages.drift import composed
from tests.checkout import Checkout, errors
from tests.tracking.wandb_log import read_run


def test_a_name_means_a_model() -> None:
    cfg = composed()
    assert type(make_method("baseline/bias", cfg, "cv.methods")) is BiasBaseline
    assert type(make_method("knn/user", cfg, "cv.methods")) is UserKNN
    made = make_method("mf/dot-dim7", cfg, "cv.methods")
    assert isinstance(made, MatrixFactorization)
    assert (made.config.kind, made.config.dim) == ("dot", 7)


@pytest.mark.parametrize("name", ["knn", "mf/", "mf/dot-dimx", "mf/cosine", "best/one", ""])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        make_method(name, composed(), "cv.methods")


def test_every_row_is_tested_once_and_the_table_tells_the_spread(checkout: Checkout) -> None:
    before = checkout.outputs()
    small = ("cv.methods=[baseline/bias,knn/item]", "cv.folds=3", "knn.k=5")
    done = checkout.stage("cv", *small, "tracking.mode=offline")
    assert done.returncode == 0, done.stderr
    assert checkout.outputs() == before
    (path,) = (checkout.path / "outputs").glob("*/*/cv.csv")
    table = pd.read_csv(path)
    rows = len(pd.read_parquet(checkout.path / "data" / "filtered.parquet"))
    assert table.groupby("method")["rows"].sum().tolist() == [rows, rows]
    assert (table.groupby("method").size() == 3).all()
    assert (table["mae"] < table["rmse"]).all()
    bias = table.loc[table["method"] == "baseline/bias", "rmse"]
    assert f"{bias.mean():.4f}" in done.stdout
    (folder,) = (checkout.path / "logs" / "wandb").glob("offline-run-*")
    run = read_run(folder)
    assert (run.job_type, run.exit_code, run.numbers("cv/nrows")) == ("cv", 0, [(len(table),)])


def test_an_impossible_method_stops_before_the_first_one_is_trained(finished: Checkout) -> None:
    stopped = finished.stage("cv", "cv.methods=[baseline/bias,mf/biased-dim0]")
    assert stopped.returncode == 2
    (line,) = errors(stopped)
    assert "mf.dim: 0" in line
