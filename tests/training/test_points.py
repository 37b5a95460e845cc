from __future__ import annotations

from typing import Any

import pytest
import yaml

from cofilter.core.errors import ConfigError
from cofilter.training.points import expected_points, make_point, parse_point, point_name
from tests.checkout import PROJECT, Checkout
from tests.composition import compose

CFG: dict[str, Any] = {
    "points": {
        "baseline": {"kind": ["bias", "popularity"]},
        "knn": {"kind": ["user"]},
        "mf": {"kind": ["biased", "dot"], "dim": [10, 20], "seed": [0, 1]},
    },
}


def test_names_every_combination_once() -> None:
    points = expected_points(CFG)
    assert len(points) == len(set(points)) == 2 + 1 + 2 * 2 * 2
    assert ("mf", "dot-dim20-seed1") in points
    assert ("baseline", "popularity") in points


@pytest.mark.parametrize("axes", [
    {"kind": "item"}, {"kind": "biased", "dim": 50, "seed": 0}, {"dim": 8}, {"seed": 3},
    {"kind": "dimension"}, {}, {"kind": "global_mean"}, {"kind": "implicit", "dim": "auto"},
    {"dim": "auto", "seed": 0}, {"kind": "automatic"},
])  # fmt: skip
def test_a_name_spells_its_axes(axes: dict[str, Any]) -> None:
    assert parse_point(point_name(**axes)) == axes


@pytest.mark.parametrize(
    "name", ["-", "dot-dimx", "dim4-dot", "a-b", "dot-", "dim4-dim8", "dimauto4"]
)
def test_what_is_not_a_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a point"):
        parse_point(name)


@pytest.mark.parametrize("dim", ["auto", 192])
def test_a_dim_that_is_left_open_is_the_kind_s_the_group_s_or_the_data_s(dim: int | str) -> None:
    cfg = compose(f"+als.kinds.implicit.dim={dim}")
    assert make_point("als", "implicit-dimauto-seed0", cfg).config.dim == dim
    assert make_point("als", "implicit-dim20-seed0", cfg).config.dim == 20
    assert make_point("als", "explicit-dimauto", cfg).config.dim == "auto"


def test_no_point_of_a_family_is_no_point() -> None:
    none = CFG | {"points": {"knn": {"kind": []}, "mf": {"kind": ["dot"], "dim": []}}}
    assert expected_points(none) == []


def test_folders_are_those_of_dvc_yaml(finished: Checkout) -> None:
    """Named by dvc.yaml's templates, written by the stages: the same."""
    out = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]["train_mf"]["outs"][0]
    for key, value in {"kind": "biased", "dim": 4, "seed": 0}.items():
        out = out.replace(f"${{item.{key}}}", str(value))
    assert out == f"models/mf/{point_name('biased', 4, 0)}"
    assert (finished.path / out / "model.json").is_file()
