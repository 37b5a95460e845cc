"""A search over a small factorization, on parts that lie in a folder, for tests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cofilter.core.config import parse
from cofilter.core.io import write_table
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.recommender.base import Recommender
from cofilter.search.config import SearchConfig
from cofilter.search.job import Data, Job
from cofilter.search.search import search
from cofilter.search.space import Space, Tree, merged, space_of, values_at
from cofilter.search.study import VALUES, SearchStudy
from cofilter.tracking.config import TrackingConfig
from cofilter.training.loop import CheckpointConfig
from tests.evaluation.conftest import make_config
from tests.models.contract import ratings_table
from tests.models.mf.test_factorization import config as mf_config
from tests.tracking.runs import config as tracking_config

GROUP: dict[str, Any] = {"lr": 0.05, "l2": 0.05, "kinds": {"biased": {}}}
SPACE = {
    "mf": {
        "lr": {"low": 0.01, "high": 0.2, "log": True},
        "kinds": {"biased": {"l2": {"low": 0.01, "high": 0.5}}, "dot": {"l2": {"choices": [1, 2]}}},
    }
}
EVALUATE = make_config(primary="rmse", k=(10,), relevance_threshold=4.0, min_users=1)


def make(group: Tree, values: Tree) -> Recommender:
    """A factorization as the stage makes it: the kind's own values on top of the group's."""
    told = merged(group, values)
    kinds = told.pop("kinds")
    small = mf_config(dim=4, optimizer="adagrad").model_dump(mode="json")
    return MatrixFactorization(parse(MFConfig, {**small, **told, **kinds["biased"]}, "mf"))


def search_config(**changed: Any) -> SearchConfig:
    values: dict[str, Any] = {
        "method": "mf/biased-dim4",
        "study": None,
        "name": None,
        "overwrite": False,
        "split": "split",
        "metric": None,
        "n_trials": 8,
        "seconds": None,
        "workers": 1,
        "seed": 0,
        "startup_trials": 3,
        "pruner": "median",
        "warmup_epochs": 2,
        "space": SPACE,
    }
    return SearchConfig(**(values | changed))


def job(root: Path, group: dict[str, Any] = GROUP, **changed: Any) -> Job:
    config = search_config(**changed)
    space: Space = space_of(config.space, "mf", "biased", "search.space")
    tracking: TrackingConfig = tracking_config(mode="disabled")
    return Job(
        config=config,
        study="small",
        kind="biased",
        make=partial(make, group),
        space=space,
        present=values_at(space, group),
        metric=config.metric or "rmse",
        evaluate=EVALUATE,
        checkpoint=CheckpointConfig(every_seconds=0, resume="auto"),
        tracking=tracking,
        run_config={"mf": group},
        root=root,
        threads=2,
    )


def tracked(of: Job) -> Job:
    """The same with offline W&B runs."""
    return replace(of, tracking=tracking_config())


def write_parts(root: Path, seed: int = 0) -> Path:
    """Train and validation, and no test part; gives their folder."""
    rows = ratings_table(60, 40, seed).sample(frac=1, random_state=0, ignore_index=True)
    cut = len(rows) * 8 // 10
    write_table(root / "split" / "train.parquet", rows[:cut])
    write_table(root / "split" / "validation.parquet", rows[cut:])
    return root / "split"


def data(root: Path) -> Data:
    if not (root / "split").exists():
        write_parts(root)
    return Data.load(root / "split", EVALUATE)


def run(of: Job) -> SearchStudy:
    return search(of, data(of.root))


def history(study: SearchStudy) -> list[tuple[Any, ...]]:
    """What is the same in every equal search, a tuple a trial."""
    return [
        (
            trial.state.name,
            trial.value,
            trial.user_attrs.get(VALUES),
            trial.user_attrs.get("epochs"),
            trial.intermediate_values,
        )
        for trial in study.trials()
    ]
