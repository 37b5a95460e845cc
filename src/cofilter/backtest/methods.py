"""Which points of the sweep a backtest fits."""

from __future__ import annotations

from collections.abc import Sequence

from cofilter.backtest.config import BacktestConfig
from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.training.families import kinds_of
from cofilter.training.points import (
    AUTO,
    DIM,
    KIND,
    SEED,
    Tree,
    axes_of,
    expected_points,
    parse_point,
    point_name,
)

GROUP = "backtest"


def backtest_config(cfg: Tree) -> BacktestConfig:
    """The group of a configuration; a method that it names must be a point of the sweep.

    Raises
    ------
    ConfigError
        One line that names the key, the value and what is allowed.
    """
    config = parse(BacktestConfig, cfg[GROUP], GROUP)
    backtest_points(config, cfg)
    return config


def backtest_points(config: BacktestConfig, cfg: Tree) -> list[tuple[str, str]]:
    """(family, point) of every method, in the order of the sweep.

    ``kinds`` takes of each family and kind the dim that is left to the data, or else the middle one
    of the sweep's dims (of an even number the smaller of the two in the middle, which is quicker),
    and its first seed. The choice reads
    neither ratings nor models, so that no window is scored by what was chosen on its own rows.
    """
    points = expected_points(cfg)
    if config.methods not in ("kinds", "points"):
        return _named(config.methods, points)
    if config.methods == "kinds":
        points = [point for family in cfg["points"] for point in _one_of_each_kind(family, cfg)]
    out = {_family_and_kind(name) for name in config.without}
    return [
        (family, name)
        for family, name in points
        if not out & {(family, None), (family, parse_point(name).get(KIND))}
    ]


def _named(names: Sequence[str], points: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    by_name = {"/".join(point): point for point in points}
    for place, name in enumerate(names):
        if name not in by_name:
            near = [known for known in by_name if known.startswith(name)] or list(by_name)
            raise ConfigError(
                f"{GROUP}.methods: {name!r} is no point of the sweep (there are {', '.join(near)})"
            )
        if name in names[:place]:
            raise ConfigError(f"{GROUP}.methods: {name!r} stands there twice")
    return [point for name, point in by_name.items() if name in names]


def _family_and_kind(name: str) -> tuple[str, str | None]:
    family, _, kind = name.partition("/")
    try:
        kinds = kinds_of(family)
    except ConfigError as error:
        raise ConfigError(f"{GROUP}.without: {error}") from None
    if kind and kind not in kinds:
        raise ConfigError(f"{GROUP}.without: {kind!r} is no kind of {family} ({', '.join(kinds)})")
    return family, kind or None


def _one_of_each_kind(family: str, cfg: Tree) -> list[tuple[str, str]]:
    axes = axes_of(family, cfg)
    if not all(axes.values()):
        return []
    shared = {SEED: axes[SEED][0]} if SEED in axes else {}
    if DIM in axes:
        dims = axes[DIM]
        shared[DIM] = AUTO if AUTO in dims else sorted(dims)[(len(dims) - 1) // 2]
    kinds = [{KIND: kind} for kind in axes[KIND]] if KIND in axes else [{}]
    return [(family, point_name(**kind, **shared)) for kind in kinds]
