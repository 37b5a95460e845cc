from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.io import read_table, write_json
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.tuning import TUNED, how_tuned, read_tuned
from cofilter.models.als.model import ImplicitALS
from cofilter.search.job import PARTS, Data
from cofilter.search.search import search
from cofilter.search.space import merged
from cofilter.search.study import VALUES
from cofilter.search.tune import Tuned, tune, tune_jobs
from cofilter.training.loop import CheckpointConfig
from stages.groups import score_config
from tests.composition import CONF, compose
from tests.search.jobs import write_parts

POINTS = {
    "baseline": {"kind": ["bias"]},
    "knn": {"kind": ["item"]},
    "als": {"kind": ["implicit"], "dim": [2, 4, 6], "seed": [0]},
    "ease": {"kind": ["binary", "rating"]},
}


def config(**tune_keys: Any) -> dict[str, Any]:
    """The pipeline's configuration with a small sweep, and a small budget."""
    cfg = copy.deepcopy(compose(primary="tune"))
    cfg |= {"points": POINTS, "tracking": cfg["tracking"] | {"mode": "disabled"}}
    cfg["als"]["epochs"] = 2
    cfg["tune"] |= {"trials": 2, "split": "split"} | tune_keys
    return cfg


def load(root: Path, cfg: dict[str, Any]) -> Data:
    return Data.load(root / "split", score_config(cfg), cfg["data"]["scale"])


def tuned(root: Path, cfg: dict[str, Any]) -> Tuned:
    data = load(root, cfg)
    return tune(tune_jobs(cfg, CheckpointConfig(), root, data), data)


def told(root: Path, cfg: dict[str, Any]) -> dict[str, str]:
    """What the leaderboard would say of each point."""
    train, validation = (read_table(root / "split" / f"{part}.parquet") for part in PARTS)
    evaluate = parse(EvaluateConfig, cfg["evaluate"], "evaluate")
    return how_tuned(cfg, Parts(train, validation, validation), evaluate, root / TUNED)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that was tuned by two trials a method, the first method in an earlier run."""
    root = tmp_path_factory.mktemp("tuned")
    write_parts(root)
    for family in ("knn", "als", "ease"):
        (root / "conf" / family).mkdir(parents=True)
        shutil.copy(CONF / family / "default.yaml", root / "conf" / family)
    stopped = tuned(root, config(methods=["knn/item"]))
    first = [trial.number for trial in stopped.studies[0].study.trials]
    found = tuned(root, config())
    assert not found.failed
    assert [trial.number for trial in found.studies[0].study.trials] == first  # none was run again
    methods = [study.job.config.method for study in found.studies]
    assert methods == ["knn/item", "als/implicit-dim4-seed0", "ease/binary", "ease/rating"]
    return root


def adopted(root: Path, cfg: dict[str, Any]) -> dict[str, Any]:
    """The configuration that takes all that was found, as Hydra would compose it."""
    for family in ("knn", "als", "ease"):
        chosen = yaml.safe_load((root / "conf" / family / "tune_ml_100k.yaml").read_text())
        cfg[family] = merged(cfg[family], {k: v for k, v in chosen.items() if k != "defaults"})
    return cfg


def test_every_method_has_the_same_budget_and_the_metric_that_chooses_it(finished: Path) -> None:
    ((fingerprint, records),) = read_tuned(finished / TUNED).items()
    assert fingerprint == load(finished, config()).fingerprint
    assert records.data == "ml_100k"
    methods = records.methods
    assert list(methods) == ["als/implicit", "ease/binary", "ease/rating", "knn/item"]
    assert {record.budget for record in methods.values()} == {"2 trials"}
    assert {record.trials for record in methods.values()} == {2}
    assert methods["knn/item"].metric == "rmse"
    assert methods["ease/binary"].metric == "ndcg@10"
    for record in methods.values():
        assert record.before is not None
        better = min if record.metric == "rmse" else max
        assert record.value == better(record.value, record.before)
        assert record.seconds > 0


def test_a_row_is_called_tuned_only_with_exactly_what_was_found(finished: Path) -> None:
    cfg = adopted(finished, config())
    assert told(finished, cfg) == {
        "baseline/bias": "default",
        "knn/item": "2 trials",
        "als/implicit-dim2-seed0": "2 trials at dim4",
        "als/implicit-dim4-seed0": "2 trials",
        "als/implicit-dim6-seed0": "2 trials at dim4",
        "ease/binary": "2 trials",
        "ease/rating": "2 trials",
    }
    by_hand = copy.deepcopy(cfg)
    by_hand["ease"]["kinds"]["binary"]["l2"] = 123.0
    assert told(finished, by_hand)["ease/binary"] == "by hand"
    assert told(finished, by_hand)["ease/rating"] == "2 trials"
    shared = cfg | {"bias": cfg["bias"] | {"iterations": 3}}
    assert told(finished, shared)["knn/item"] == "by hand"


def test_other_rankings_or_data_than_were_searched_are_not_called_tuned(
    finished: Path, tmp_path: Path
) -> None:
    cfg = adopted(finished, config())
    other = cfg | {"evaluate": cfg["evaluate"] | {"relevance_threshold": 2.0}}
    assert told(finished, other)["knn/item"] == "2 trials"  # by RMSE, which has no threshold
    assert told(finished, other)["ease/binary"] != "2 trials"
    primary = cfg | {"evaluate": cfg["evaluate"] | {"primary": "recall@10"}}
    assert told(finished, primary)["ease/binary"] != "2 trials"
    shutil.copytree(finished / "conf", tmp_path / "conf")
    write_parts(tmp_path, seed=1)
    assert not {"2 trials", "2 trials at dim4"} & set(told(tmp_path, cfg).values())


def test_without_records_the_values_are_the_defaults_or_set_by_hand(tmp_path: Path) -> None:
    write_parts(tmp_path)
    found = told(tmp_path, config())
    assert found.pop("als/implicit-dim2-seed0") == "by hand"  # two epochs
    assert found["knn/item"] == found["ease/rating"] == "default"


def test_a_file_of_somebody_else_is_refused(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "conf" / "ease" / "tune_ml_100k.yaml"
    path.write_text("l2: 1.0\n")
    cfg = config()
    with pytest.raises(ConfigError, match=r"conf/ease/tune_ml_100k\.yaml: exists already"):
        tune_jobs(cfg, CheckpointConfig(), tmp_path, load(tmp_path, cfg))
    assert tune_jobs(config(overwrite=True), CheckpointConfig(), tmp_path, load(tmp_path, cfg))


def test_records_of_other_data_are_kept(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "conf", tmp_path / "conf")
    write_parts(tmp_path, seed=1)
    write_json(tmp_path / TUNED, json.loads((finished / TUNED).read_text()))
    tuned(tmp_path, config(methods=["ease/binary"], name="other"))
    known = read_tuned(tmp_path / TUNED)
    assert sorted(len(each.methods) for each in known.values()) == [1, 4]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"trials": 2, "seconds": 3.0}, "exactly one of them"),
        ({"trials": None}, "exactly one of them"),
        ({"methods": ["knn"]}, "tune.methods: 'knn' is not family/point"),
    ],
)
def test_wrong_input_is_named(keys: dict[str, Any], problem: str, finished: Path) -> None:
    cfg = config(**keys)
    with pytest.raises(ConfigError, match=problem):
        tune_jobs(cfg, CheckpointConfig(), finished, load(finished, cfg))


def test_what_the_data_cannot_train_is_left_out(tmp_path: Path) -> None:
    write_parts(tmp_path)
    for part in ("train", "validation"):
        path = tmp_path / "split" / f"{part}.parquet"
        read_table(path).assign(rating=1.0).to_parquet(path, index=False)
    cfg = config()
    data = load(tmp_path, cfg)
    jobs = tune_jobs(cfg, CheckpointConfig(), tmp_path, data)
    assert {job.config.method: job.metric for job in jobs} == {
        "knn/item": "ndcg@10",
        "als/implicit-dim4-seed0": "ndcg@10",
        "ease/binary": "ndcg@10",
    }
    with pytest.raises(DataError, match="none can be searched"):
        tune_jobs(config(methods=["ease/rating"]), CheckpointConfig(), tmp_path, data)


def test_a_dim_that_the_data_decide_may_be_searched(tmp_path: Path) -> None:
    """And the sampler is told what they make of it; a dim that the name says stays."""
    write_parts(tmp_path)
    cfg = config(trials=3, methods=["als/implicit-dimauto-seed0", "als/implicit-dim4-seed0"])
    cfg["points"] = POINTS | {"als": {"kind": ["implicit"], "dim": [4, "auto"], "seed": [0]}}
    data = load(tmp_path, cfg)
    free, named = tune_jobs(cfg, CheckpointConfig(), tmp_path, data)
    assert set(free.space) - set(named.space) == {"kinds.implicit.dim"}
    study = search(free, data)
    first, second, _ = study.trials()
    settled = ImplicitALS(scale=(1, 5)).settled_config(data.train)
    assert first.params["kinds.implicit.dim"] == settled.dim == 50
    assert first.params["kinds.implicit.penalty_share"] == settled.penalty_share
    assert first.user_attrs[VALUES] == {}  # nothing is written over the configuration
    assert second.user_attrs[VALUES].keys() == free.space.keys()
