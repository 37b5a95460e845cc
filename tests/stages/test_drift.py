from __future__ import annotations

import pytest
from hydra.core.global_hydra import GlobalHydra
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from stages.drift import composed, differences, named
from tests.checkout import Checkout, Finished, errors

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


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["mf.lr"], "mf.lr"),
        (["mf.lr", "mf.l2", "mf.dim"], "mf.dim, mf.l2, mf.lr"),
        (["mf.lr", "mf.l2", "mf.dim", "mf.kinds.dot.lr", "refit"], "mf (4 keys), refit"),
        (
            [f"group{at}" for at in range(8)],
            ", ".join(f"group{at}" for at in range(6)) + " and 2 more",
        ),
    ],
)
def test_many_keys_become_a_few_names(keys: list[str], names: str) -> None:
    assert named(keys) == names


def notes(finished: Finished) -> list[str]:
    return [line for line in finished.stderr.splitlines() if line.startswith("note: ")]


def test_a_stage_that_fails_inside_dvc_says_what_differs_and_the_way_back(
    finished: Checkout,
) -> None:
    """In one line after the error, and only there: a direct run composes its parameters itself."""
    inside = finished.stage("filter", "filter.k_core=-1", inside=True)
    (note,) = notes(inside)
    assert "an earlier `dvc exp run -S …` set it, or conf/ was edited since" in note
    assert " data (" in note
    assert note.endswith("; `make params` goes back")
    assert "filter.k_core" not in note  # of this command line, not of params.yaml
    assert notes(finished.stage("filter", "filter.k_core=-1")) == []
    assert notes(finished.stage("filter", inside=True)) == []


def test_what_conf_composes_to_needs_no_note(checkout: Checkout) -> None:
    assert checkout.run("make", "params", "READY=", "VENV=/none").returncode == 0
    assert notes(checkout.stage("filter", "filter.k_core=-1", inside=True)) == []
    (checkout.path / "conf" / "mf" / "default.yaml").write_text("kind: [", encoding="utf-8")
    stopped = checkout.stage("filter", "filter.k_core=-1", inside=True)
    assert errors(stopped) == [
        "error: filter.k_core: -1 is not allowed: input should be greater than 0"
    ]
