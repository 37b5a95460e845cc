from __future__ import annotations

from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import ConfigError
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.recommender.base import Recommender
from cofilter.search.space import (
    Choices,
    Range,
    Tree,
    check_space,
    merged,
    space_of,
    tree_of,
    values_at,
)
from tests.models.mf.test_factorization import config

LR = {"low": 0.01, "high": 0.1, "log": True}
SPACES = {
    "mf": {
        "lr": LR,
        "dim": {"low": 4, "high": 8},
        "init_std": None,
        "kinds": {"svdpp": {"lr": LR}, "dot": {"l2": {"choices": [0.1, 0.2]}}, "biased": None},
    },
    "knn": {},
}


def test_of_the_kinds_only_the_own_one_takes_part() -> None:
    assert list(space_of(SPACES, "mf", "svdpp", "s")) == ["lr", "dim", "kinds.svdpp.lr"]
    assert list(space_of(SPACES, "mf", "dot", "s")) == ["lr", "dim", "kinds.dot.l2"]
    assert list(space_of(SPACES, "mf", "biased", "s")) == ["lr", "dim"]
    assert space_of(SPACES, "mf", "dot", "s")["kinds.dot.l2"] == Choices(choices=(0.1, 0.2))


@pytest.mark.parametrize("family", ["knn", "als"])
def test_nothing_to_search_is_refused(family: str) -> None:
    with pytest.raises(ConfigError, match=rf"s\.{family}.*nothing to search"):
        space_of(SPACES, family, None, "s")


@pytest.mark.parametrize(
    ("leaf", "told"),
    [
        ({"low": 0.2, "high": 0.1}, "low 0.2 is not below high 0.1"),
        ({"low": 3, "high": 3}, "low 3 is not below high 3"),
        ({"low": 0.0, "high": 1.0, "log": True}, "low 0.0 with log: a number above 0"),
        ({"low": 0.1}, "s.mf.lr.high: missing"),
        ({"low": "a", "high": 1.0}, "s.mf.lr.low"),
        ({"low": 0.1, "high": 1.0, "lgo": True}, "s.mf.lr.lgo: unknown key"),
        ({"choices": [1]}, "at least 2"),
        ({"choices": [1, 1]}, "name a value twice"),
        (0.3, "s.mf.lr: 0.3 is not allowed: {low, high, log} or {choices} is expected"),
    ],
)
def test_an_impossible_dimension_is_one_clear_line(leaf: Any, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        space_of({"mf": {"lr": leaf}}, "mf", None, "s")
    assert told in str(caught.value)
    assert "s.mf.lr" in str(caught.value)
    assert "\n" not in str(caught.value)


def make(values: Tree) -> Recommender:
    told = merged({"lr": 0.01, "kinds": {"biased": {"l2": 0.1}}}, values)
    kinds = told.pop("kinds")
    return MatrixFactorization(config(**{**told, **kinds["biased"], "dim": 4}))


@pytest.mark.parametrize("path", ["l2", "dim"])
def test_a_dimension_without_effect_is_refused(path: str) -> None:
    """The kind's own l2 covers the group's; the point's name sets dim."""
    with pytest.raises(ConfigError, match=rf"s\.{path}: changes nothing"):
        check_space({path: Range(low=1, high=2)}, make, "s")


def test_a_dimension_that_changes_the_model_is_taken() -> None:
    space = {"lr": Range(low=0.1, high=0.2), "kinds.biased.l2": Range(low=0.1, high=0.2)}
    check_space(space, make, "s")


@given(st.integers(-50, 50), st.integers(1, 50), st.integers(0, 9))
def test_whole_ends_give_whole_numbers_within(low: int, width: int, seed: int) -> None:
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed)).ask()
    dimension = Range(low=low, high=low + width)
    found = dimension.suggest(trial, "x")
    assert isinstance(found, int)
    assert dimension.holds(found)


@given(st.floats(1e-6, 1e3), st.floats(1.01, 100), st.booleans(), st.integers(0, 9))
def test_numbers_have_four_digits_and_lie_within(
    low: float, factor: float, log: bool, seed: int
) -> None:
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed)).ask()
    dimension = Range(low=low, high=low * factor, log=log)
    found = dimension.suggest(trial, "x")
    assert dimension.holds(found)
    assert found in (low, low * factor, float(f"{found:.4g}"))


def test_whole_dimensions_do_not_hold_fractions() -> None:
    assert not Range(low=1, high=3).holds(2.0)
    assert Range(low=1.0, high=3.0).holds(2)
    assert not Range(low=1, high=3).holds(None)


def test_a_tree_has_its_values_at_their_paths() -> None:
    values = {"lr": 1, "kinds.svdpp.lr": 2, "kinds.svdpp.l2": 3}
    tree = tree_of(values)
    assert tree == {"lr": 1, "kinds": {"svdpp": {"lr": 2, "l2": 3}}}
    group = {"lr": 0, "l2": 0, "kinds": {"svdpp": {"decay": 9}, "dot": {"l2": 7}}}
    over = merged(group, tree)
    assert over["kinds"] == {"svdpp": {"decay": 9, "lr": 2, "l2": 3}, "dot": {"l2": 7}}
    assert group["kinds"] == {"svdpp": {"decay": 9}, "dot": {"l2": 7}}


def test_a_kind_without_a_value_of_its_own_has_the_group_s() -> None:
    group = {"lr": 5, "l2": 6, "kinds": {"svdpp": {"l2": 7}}}
    space = dict.fromkeys(("kinds.svdpp.lr", "kinds.svdpp.l2", "lr"), Range(low=1, high=2))
    assert values_at(space, group) == {"kinds.svdpp.lr": 5, "kinds.svdpp.l2": 7, "lr": 5}
