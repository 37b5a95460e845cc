from __future__ import annotations

from typing import Any

import pytest

from cofilter.backtest.methods import backtest_config, backtest_points
from cofilter.core.errors import ConfigError
from tests.composition import compose


def points(*overrides: str) -> list[str]:
    cfg: dict[str, Any] = compose(*overrides)
    return ["/".join(point) for point in backtest_points(backtest_config(cfg), cfg)]


def test_kinds_takes_one_point_of_each() -> None:
    """The middle dim, the smaller of two, or the data's; the first seed; without the slow ones."""
    found = points("points.mf.dim=[100,20,50,10]", "points.bpr.dim=[7,5,6]", "seeds=[3,1]")
    assert {"knn/user", "knn/item", "mf/svdpp-dim20-seed3", "bpr/dim6-seed3"} < set(found)
    assert {"als/implicit-dimauto-seed3", "als/explicit-dimauto-seed3"} < set(found)
    assert not [name for name in found if name.startswith(("ncf/", "bayes/", "mf/item_centred"))]
    kinds = [name.split("-dim")[0] for name in found]
    assert len(kinds) == len(set(kinds))


def test_points_takes_all_but_those_left_out() -> None:
    everything = points("backtest.methods=points", "backtest.without=[]")
    fewer = points("backtest.methods=points", "backtest.without=[knn/item,ease]")
    assert set(everything) - set(fewer) == {"knn/item", "ease/binary", "ease/rating"}
    assert len(everything) == 39


def test_a_list_is_what_takes_part_in_the_sweep_s_order() -> None:
    named = "backtest.methods=[ncf/rating-seed0,knn/item]"
    assert points(named) == ["knn/item", "ncf/rating-seed0"]


def test_a_family_without_points_has_no_part() -> None:
    assert not [name for name in points("points.bpr.dim=[]") if name.startswith("bpr")]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("backtest.methods=[mf/biased-dim30-seed0]", "'mf/biased-dim30-seed0' is no point of the"),
        ("backtest.methods=[knn/item,knn/item]", "'knn/item' stands there twice"),
        ("backtest.methods=[]", "backtest.methods"),
        ("backtest.methods=all", "backtest.methods"),
        ("backtest.windows=-1", "backtest.windows: -1 is not allowed"),
        ("backtest.share=1", "backtest.share: 1"),
        ("backtest.without=[best]", "backtest.without: 'best' is not a family"),
        ("backtest.without=[knn/best]", "backtest.without: 'best' is no kind of knn"),
    ],
)
def test_the_impossible_is_named(override: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        points(override)
    assert told in str(refused.value)
