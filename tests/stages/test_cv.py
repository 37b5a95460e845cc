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
    methods = "cv.methods=[baseline/bias,knn/item,ease/binary]"
    done = checkout.stage("cv", methods, "cv.folds=3", "knn.k=5", "tracking.mode=offline")
    assert done.returncode == 0, done.stderr
    assert checkout.outputs() == before
    (path,) = (checkout.path / "outputs").glob("*/*/cv.csv")
    table = pd.read_csv(path)
    rows = len(pd.read_parquet(checkout.path / "data" / "filtered.parquet"))
    assert table.groupby("method")["rows"].sum().tolist() == [rows, rows, rows]
    assert (table.groupby("method").size() == 3).all()
    assert table["ndcg@10"].between(0, 1).all()
    by_method = table.groupby("method")
    assert by_method["rmse"].count().to_dict() == {
        "baseline/bias": 3,
        "ease/binary": 0,
        "knn/item": 3,
    }
    for name, metric in (("baseline/bias", "rmse"), ("ease/binary", "ndcg@10")):
        mean = by_method[metric].mean()[name]
        assert f"{mean:.4f} ± {by_method[metric].std()[name]:.4f}" in done.stdout
    means = pd.read_csv(path.with_name("cv_summary.csv"))
    assert means["ndcg@10"].is_monotonic_decreasing
    (folder,) = (checkout.path / "logs" / "wandb").glob("offline-run-*")
    run = read_run(folder)
    assert (run.job_type, run.exit_code, run.numbers("cv/nrows")) == ("cv", 0, [(len(means),)])


def test_an_impossible_method_stops_before_the_first_one_is_trained(finished: Checkout) -> None:
    stopped = finished.stage("cv", "cv.methods=[baseline/bias,mf/biased-dim0]")
    assert stopped.returncode == 2
    (line,) = errors(stopped)
    assert "mf.dim: 0" in line
