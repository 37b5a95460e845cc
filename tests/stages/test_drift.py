from __future__ import annotations

import pytest
from hydra.core.global_hydra import GlobalHydra
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from stages.drift import composed, differences
from tests.checkout import Checkout

TREES = st.recursive(
    st.none() | st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(TREES, TREES)
def test_none_exactly_when_equal(left: object, right: object) -> None:
    assert (not list(differences(left, right))) == (left == right)
    assert sorted(differences(left, right)) == sorted(differences(right, left))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b"]),
        ({"a": 1}, {"a": {"b": 1}}, ["a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
    ],
)
def test_keys_are_dotted(left: object, right: object, expected: list[str]) -> None:
    assert list(differences(left, right)) == expected


def test_composed_leaves_nothing_unresolved() -> None:
    assert "${" not in OmegaConf.to_yaml(OmegaConf.create(composed()))
    assert not GlobalHydra.instance().is_initialized()


def test_only_a_stage_inside_dvc_names_the_keys_that_differ(finished: Checkout) -> None:
    inside = finished.stage("filter", "filter.k_core=-1", inside=True).stderr
    (note,) = [line for line in inside.splitlines() if line.startswith("note: ")]
    assert " mf.epochs," in note
    assert "filter.k_core" not in note  # given on the command line, not in params.yaml
    outside = finished.stage("filter", "filter.k_core=-1").stderr
    assert "note: " not in outside
