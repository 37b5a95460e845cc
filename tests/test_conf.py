"""Everything in conf/ composes, and the library takes what it composes to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cofilter.backtest.methods import backtest_config, backtest_points
from cofilter.core.config import parse
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.cross_validation import CVConfig
from cofilter.evaluation.leak import LeakConfig
from cofilter.preparation.filter import FilterConfig
from cofilter.preparation.split import SplitConfig
from cofilter.sources.source import DataConfig
from cofilter.tracking.config import TrackingConfig
from cofilter.training.effective import refuse_ineffective
from cofilter.training.families import families
from cofilter.training.loop import CheckpointConfig
from cofilter.training.points import expected_points, make_method, make_point
from stages.drift import PIPELINE, composed, differences
from tests.composition import CONF, compose

ROOT = Path(__file__).parents[1]
CHOICES = sorted(
    path.relative_to(CONF).with_suffix("")
    for path in CONF.glob("*/*.yaml")
    if path.stem != "search"  # of a family: what `make search` varies, no choice of its group
)
EXPERIMENTS = [choice.name for choice in CHOICES if choice.parent.name == "experiment"]


def leaves(value: Any, key: str = "") -> Iterator[str]:
    """Dotted keys of the values that are no mapping."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}")
    else:
        yield key.removeprefix(".")


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_every_choice_composes_and_is_accepted(choice: Path) -> None:
    override = f"{choice.parent}={choice.name}"
    cfg = compose(f"+{override}" if choice.parent.name == "experiment" else override)
    parse(DataConfig, cfg["data"], "data")
    parse(FilterConfig, cfg["filter"], "filter")
    parse(SplitConfig, cfg["split"], "split")
    parse(EvaluateConfig, cfg["evaluate"], "evaluate")
    backtest_config(cfg)
    parse(TrackingConfig, cfg["tracking"], "tracking")
    parse(CheckpointConfig, {**cfg["checkpoint"], "resume": cfg["resume"]}, "checkpoint")
    for entry in parse(LeakConfig, cfg["leak"], "leak").methods:
        make_method(entry.method, cfg, "leak.methods", entry.overrides)
    for family in families():
        make_point(family, "", cfg)
    refuse_ineffective(cfg, compose())


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_trains_what_it_names_and_nothing_else(name: str) -> None:
    content = yaml.safe_load((CONF / "experiment" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert all(values for axes in content["points"].values() for values in axes.values())
    cfg = compose(f"+experiment={name}")
    assert {family for family, _ in expected_points(cfg)} == content["points"].keys()
    for family, axes in content["points"].items():
        assert axes.items() <= cfg["points"][family].items()


def test_a_quick_sweep_has_one_point_a_family_and_no_leak() -> None:
    cfg = compose("points=quick")
    chosen = [family for family, _ in expected_points(cfg)]
    assert sorted(chosen) == sorted(set(families()) - {"bayes", "ncf"})
    assert cfg["leak"]["methods"] == []
    assert backtest_points(backtest_config(cfg), cfg)


def test_the_points_of_a_sweep_have_axes_that_the_pipeline_knows() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for family, axes in compose()["points"].items():
        assert axes.keys() == stages[f"train_{family}"]["matrix"].keys(), family
    assert expected_points(compose("~points")) == []


def test_the_methods_of_a_cross_validation_can_be_made() -> None:
    cfg = compose(primary="cv")
    for name in parse(CVConfig, cfg["cv"], "cv").methods:
        make_method(name, cfg, "cv.methods")


def test_what_no_dvc_stage_runs_is_not_in_params() -> None:
    """Each such app has a primary configuration that adds one group to the pipeline's."""
    params = compose()
    others = sorted(path.stem for path in CONF.glob("*.yaml") if path.stem != PIPELINE)
    assert others == ["cv", "search", "tune"]
    for name in others:
        assert compose(primary=name).keys() - params.keys() == {name}


def test_every_parameter_is_tracked_by_a_stage_but_for_what_changes_no_output() -> None:
    """A key that no stage tracks would look effective: changing it would run nothing."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    tracked = {
        re.sub(r"\.?\$\{.*", "", key) for stage in stages.values() for key in stage["params"]
    }
    untracked = {
        leaf
        for leaf in leaves(compose())
        if not any(leaf == key or leaf.startswith(f"{key}.") for key in tracked)
    }
    # seeds stand in the points, and what is possible is found out while DVC composes.
    assert untracked == {"seeds", "data_dependency", "possible"}


def test_every_point_of_the_sweep_can_be_made() -> None:
    cfg = compose()
    points = expected_points(cfg)
    assert len(set(points)) == len(points)
    assert {family for family, _ in points} == set(families())
    for family, point in points:
        assert make_point(family, point, cfg).family == family


def test_params_have_conf_s_keys() -> None:
    """Values may differ, since `dvc exp run -S` rightly changes the workspace's."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    optional = ("data.", "filter.keep_pairs")  # a group whose parts another source leaves null
    mine, theirs = (
        {k for k in leaves(tree) if not k.startswith(optional)} for tree in (composed(), params)
    )
    assert mine == theirs
    assert composed()["data"].keys() == params["data"].keys()


def test_choices_of_a_group_have_the_same_keys() -> None:
    """dvc.yaml tracks leaf keys, so each must be there whatever is chosen."""
    for group in {path.parent for path in CHOICES if path.parent.name != "experiment"}:
        keys = {
            tuple(sorted(compose(f"{choice.parent}={choice.name}")[str(group)]))
            for choice in CHOICES
            if choice.parent == group
        }
        assert len(keys) == 1, group


def test_tracked_parameters_exist() -> None:
    """Each key that dvc.yaml tracks is in the configuration, and no stage tracks all of a file."""
    cfg = composed()
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in stages.items():
        for key in stage["params"]:
            value: Any = cfg
            kinds = key.rpartition(".${item.kind}")[0]  # what the stage's own kind has of its own
            for step in (kinds or key).split("."):
                assert step in value, f"{name}: {key}"
                value = value[step]
            assert not kinds or value.keys() >= set(cfg["points"][key.split(".")[0]]["kind"])


def test_a_model_stage_tracks_every_key_of_its_group() -> None:
    """Except what the sweep itself sets on the command line."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in stages.items():
        group = name.removeprefix("train_")
        if group == name:
            continue
        keys = {key.split(".")[1] for key in stage["params"] if key.startswith(f"{group}.")}
        swept = stage["matrix"].keys() - {"seed"}
        assert keys == composed()[group].keys() - swept, name


def test_differences_is_empty_for_equal_trees() -> None:
    assert list(differences(composed(), composed())) == []
