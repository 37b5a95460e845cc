"""One definition of each default: conf/ and the classes say the same."""

from __future__ import annotations

from typing import Any

import pytest

from cofilter.blending.weights import BlendConfig
from cofilter.core.config import Config, parse, plain
from cofilter.evaluation.config import EvaluateConfig
from cofilter.preparation.filter import FilterConfig
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.bias import BiasConfig
from cofilter.tracking.config import TrackingConfig
from cofilter.training.families import families, kinds_of
from cofilter.training.loop import CheckpointConfig
from cofilter.training.points import make_point
from tests.composition import compose

KINDS = [(family, kind) for family in families() for kind in kinds_of(family)]
# Options that conf/ must not have: a flaw of published work, which the stage leak alone measures,
# and how ratings are learned where a published procedure is reproduced.
NOT_IN_CONF = {"knn": {"self_votes"}}
# Of the data set, not of a method.
OF_THE_DATA = {"scale"}
# Keys of conf/ whose value another group gives; without that group they are as the class says.
FROM_DATA = {"evaluate": {"relevance_threshold"}}
GROUPS: dict[str, type[Config]] = {
    "evaluate": EvaluateConfig,
    "blend": BlendConfig,
    "tracking": TrackingConfig,
    "filter": FilterConfig,
    "split": SplitConfig,
    "bias": BiasConfig,
}


def without(tree: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name not in keys}


@pytest.mark.parametrize(("family", "kind"), KINDS, ids=lambda value: str(value))
def test_a_model_made_from_conf_is_the_class_as_it_stands(family: str, kind: str) -> None:
    cls = kinds_of(family)[kind]
    has_kind = "kind" in cls.config_class.model_fields
    alone = cls(kind=kind) if has_kind else cls()
    point = kind if kind != family else ""
    from_conf = make_point(family, point, compose()).config
    assert without(plain(from_conf), OF_THE_DATA) == without(plain(alone.config), OF_THE_DATA)


@pytest.mark.parametrize(("family", "kind"), KINDS, ids=lambda value: str(value))
def test_every_option_of_a_class_stands_in_conf(family: str, kind: str) -> None:
    """So that a reader of conf/ sees all there is; the common ones stand in conf/config.yaml."""
    cfg = compose()
    common = {"scale", "unit", "seed", "bias", "keep_seen"}
    named = cfg[family].keys() | cfg[family].get("kinds", {}).get(kind, {}).keys() | common
    fields = kinds_of(family)[kind].config_class.model_fields.keys()
    unused = {"half_life_days"} if family == "baseline" and kind != "recent_popularity" else set()
    fixed = {"patience"} if family == "bayes" else set()  # None is all that it may be
    assert fields - named == NOT_IN_CONF.get(family, set()) | fixed | (unused & set(fields))


@pytest.mark.parametrize("family", families())
def test_the_kind_of_a_direct_run_is_the_class_s(family: str) -> None:
    (cls, *others) = set(kinds_of(family).values())
    field = cls.config_class.model_fields.get("kind")
    if others or field is None:  # a class a kind: none is the default
        return
    assert compose()[family]["kind"] == field.default


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_as_its_class_stands(group: str) -> None:
    cls, values = GROUPS[group], compose()[group]
    assert values.keys() == cls.model_fields.keys()
    elsewhere = FROM_DATA.get(group, set())
    assert plain(parse(cls, without(values, elsewhere), group)) == plain(cls())


def test_the_checkpoints_are_as_the_class_stands() -> None:
    cfg = compose()
    values = cfg["checkpoint"] | {"resume": cfg["resume"]}
    assert values.keys() == CheckpointConfig.model_fields.keys()
    assert parse(CheckpointConfig, values, "checkpoint") == CheckpointConfig()


def test_what_all_models_share_is_as_the_class_stands() -> None:
    cfg, config = compose(), make_point("knn", "item", compose()).config
    fresh = type(config)()
    assert (cfg["seed"], cfg["keep_seen"]) == (fresh.seed, fresh.keep_seen)
