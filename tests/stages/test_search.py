"""The search as it is started, on a small split; the library's tests have the rest."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cofilter.core.config import parse
from cofilter.core.errors import CofilterError
from cofilter.search.config import SearchConfig
from cofilter.search.request import job_of, make
from cofilter.search.space import check_space, space_of
from cofilter.training.families import families
from cofilter.training.loop import CheckpointConfig
from tests.checkout import Checkout, errors
from tests.composition import compose
from tests.tracking.runs import folders
from tests.tracking.wandb_log import read_run

SEARCH = ("search.method=mf/biased-dim4", "search.n_trials=4", "search.startup_trials=2")


def spaces() -> list[tuple[str, str | None]]:
    """(family, kind) of every method that the default space names."""
    found: list[tuple[str, str | None]] = []
    for family, tree in compose(primary="search")["search"]["space"].items():
        found += [(family, kind) for kind in tree.get("kinds", [compose()[family].get("kind")])]
    return found


@pytest.mark.parametrize(("family", "kind"), spaces())
def test_every_space_is_possible(family: str, kind: str | None) -> None:
    cfg = compose(primary="search")
    config = parse(SearchConfig, cfg["search"], "search")
    space = space_of(config.space, family, kind, "search.space")
    check_space(space, lambda values: make(family, kind or "", cfg, values), family)


def test_every_family_but_the_baselines_can_be_searched() -> None:
    assert compose(primary="search")["search"]["space"].keys() == set(families()) - {"baseline"}


def test_the_best_trial_is_what_its_file_selects(checkout: Checkout) -> None:
    """Really run: nothing that DVC owns changes, a run a trial, and the file trains that model."""
    before = checkout.outputs()
    tracked = ("tracking=wandb", "tracking.mode=offline", "search.name=tuned")
    shutil.rmtree(checkout.path / "logs" / "wandb", ignore_errors=True)
    part = checkout.path / "data" / "split" / "test.parquet"
    shutil.move(part, checkout.path)  # and nobody misses it
    done = checkout.stage("search", *SEARCH, *tracked)
    assert done.returncode == 0, done.stderr
    after = checkout.outputs()
    assert before.keys() - after.keys() == {"data/split/test.parquet"}
    assert after.items() <= before.items()

    (path,) = (checkout.path / "outputs").glob("*/*/trials.csv")
    table = pd.read_csv(path)
    assert len(table) == 4
    best = table.loc[table["rmse"].idxmin()]
    file = checkout.path / "conf" / "mf" / "tuned.yaml"
    assert file.read_text() in done.stdout
    assert "conf/mf/tuned.yaml: selected by mf=tuned" in done.stdout

    every = [read_run(folder) for folder in folders(checkout.path)]
    assert {run.group for run in every} == {"mf-biased-dim4-csv"}
    runs = [run for run in every if run.job_type != "study"]
    assert sorted(run.summary["trial"] for run in runs) == [0, 1, 2, 3]
    assert min(run.summary["rmse"] for run in runs if "warm" in run.summary) == best["rmse"]

    shutil.move(checkout.path / "test.parquet", part)
    chosen = ("mf=tuned", "refit=false", "hydra.run.dir=trained")
    assert checkout.stage("train_mf", *chosen).returncode == 0
    folder = checkout.path / "trained" / "models" / "mf" / "biased-dim4-seed0"
    told = json.loads((folder / "selection.json").read_text())
    assert told["validation"]["warm"]["rmse"] == best["rmse"]
    assert told["epochs"] == best["epochs"]

    again = checkout.stage("search", *SEARCH, *tracked)
    assert again.returncode == 2
    assert "conf/mf/tuned.yaml: exists already" in errors(again)[-1]
    more = checkout.stage("search", *SEARCH, *tracked, "search.overwrite=true")
    assert more.returncode == 0, more.stderr
    trials = [folder for folder in folders(checkout.path) if read_run(folder).job_type != "study"]
    assert len(trials) == 4  # nothing was left to do
    assert file.read_text() in more.stdout


def test_what_the_methods_name_sets_does_not_vary(tmp_path: Path) -> None:
    overrides = (*SEARCH, "+search.space.mf.dim={low:4,high:8}")
    job = job_of(compose(*overrides, primary="search"), CheckpointConfig(), tmp_path)
    assert "dim" not in job.space
    overrides = (*overrides, "search.method=mf/biased")
    job = job_of(compose(*overrides, primary="search"), CheckpointConfig(), tmp_path)
    assert "dim" in job.space


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("search.space.mf.kinds.biased.lr={low:0.2,high:0.1,log:true}", "low 0.2 is not below"),
        ("search.space.mf.kinds.biased.lr={low:-1.0,high:0.1,log:false}", "mf.lr: -1.0"),
        ("search.method=mf/cosine", "mf.kind: 'cosine' is not one of biased, dot"),
        ("search.method=mv/biased", "'mv' is not a family of models"),
        ("search.method=knn", 'search.method: "knn" is not allowed: family/point is expected'),
        ("search.method=baseline/bias", "search.space.baseline"),
        ("search.metric=ndcg@10", "search.pruner=none is expected"),
        ("search.metric=auc", "'auc' is not one of rmse"),
        ("search.n_trials=0", "search.n_trials: 0"),
        ("search.study='a/b'", "search.study"),
    ],
)
def test_wrong_input_is_named(override: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CofilterError, match=re.escape(told)):
        job_of(compose(*SEARCH, override, primary="search"), CheckpointConfig(), tmp_path)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("+search.space.mf.kinds.biased.rate={low:0.1,high:0.2}", "mf.rate: unknown key"),
        ("search.trials=5", "search.trials"),
    ],
)
def test_wrong_input_is_one_clear_line(override: str, told: str, finished: Checkout) -> None:
    stopped = finished.stage("search", *SEARCH, override)
    assert stopped.returncode == 2
    (line,) = errors(stopped)
    assert told in line
    assert not Path(finished.path / "logs" / "search").exists()
