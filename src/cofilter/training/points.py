"""Points of a sweep: their names, and the models that a configuration tree makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from types import MappingProxyType
from typing import Any

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.recommender.base import Recommender
from cofilter.training.families import kinds_of

Tree = Mapping[str, Any]
NOTHING: Tree = MappingProxyType({})
KIND, DIM, SEED = "kind", "dim", "seed"  # what tells the points of a family apart
AUTO = "auto"  # a dim as the family's group says, and where that says the same, as suits the data
_LOWEST = {DIM: 1, SEED: 0}

# A kind, a dim and a seed, each optional.
_POINT = re.compile(
    r"(?:(?P<kind>(?!dim(?:\d|auto)|seed\d)\w+)(?:-|$))?(?:dim(?P<dim>\d+|auto)(?:-|$))?(?:seed(?P<seed>\d+))?(?<!-)"
)


def point_name(kind: str | None = None, dim: int | None = None, seed: int | None = None) -> str:
    """Folder name of a point, of the axes that its family has, such as ``biased-dim50-seed0``."""
    parts = (kind, _numbered(DIM, dim), _numbered(SEED, seed))
    return "-".join(part for part in parts if part is not None)


def parse_point(name: str) -> dict[str, Any]:
    """The axes that a point's name spells: ``biased-dim50`` is kind biased and dim 50."""
    spelled = _POINT.fullmatch(name)
    if spelled is None:
        raise ConfigError(f"{name!r} is not a point (such as item, biased-dim50, dim50)")
    found = {axis: value for axis, value in spelled.groupdict().items() if value is not None}
    names = {axis for axis, value in found.items() if axis == KIND or value == AUTO}
    return {axis: value if axis in names else int(value) for axis, value in found.items()}


def axes_of(family: str, cfg: Tree) -> dict[str, list[Any]]:
    """The axes of a family's sweep and their values.

    Raises
    ------
    ConfigError
        An axis is no list.
    """
    axes = cfg["points"][family]
    if not isinstance(axes, Mapping):
        raise ConfigError(f"points.{family}: {axes!r} is not allowed: axes with lists are expected")
    for axis, values in axes.items():
        if not isinstance(values, list | tuple):
            raise ConfigError(
                f"points.{family}.{axis}: {values!r} is not allowed: a list is expected"
            )
    return dict(axes)


def expected_points(cfg: Tree) -> list[tuple[str, str]]:
    """(family, point) of every model that the configuration's sweep names."""
    return [
        (family, point_name(**point))
        for family in cfg["points"]
        for point in points_of(family, cfg)
    ]


def points_of(family: str, cfg: Tree) -> Iterator[dict[str, Any]]:
    """The points of a family's sweep: the value of each axis."""
    axes = axes_of(family, cfg)
    return (dict(zip(axes, point, strict=True)) for point in product(*axes.values()))


def point_of(family: str, cfg: Tree) -> str:
    """The point that a family's own group and the seed describe: that of one train stage.

    Raises
    ------
    ConfigError
        No such family, or a value that an axis does not take.
    """
    kinds_of(family)
    here = {**cfg[family], SEED: cfg[SEED]}
    point = {axis: here[axis] for axis in axes_of(family, cfg)}
    for axis, value in point.items():
        refuse_impossible(value, family, axis, SEED if axis == SEED else f"{family}.{axis}")
    return point_name(**point)


def refuse_impossible(value: Any, family: str, axis: str, key: str) -> None:
    """Raise a `ConfigError` that names ``key`` where an axis of a family does not take a value."""
    if axis == KIND:
        kinds = kinds_of(family)
        possible, expected = value in list(kinds), f"one of {', '.join(kinds)}"
    elif axis in _LOWEST:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        possible = (is_whole and value >= _LOWEST[axis]) or (axis, value) == (DIM, AUTO)
        expected = f"an integer from {_LOWEST[axis]} up"
    else:
        possible, expected = False, f"one of the axes {', '.join((KIND, *_LOWEST))}"
    if not possible:
        raise ConfigError(f"{key}: {value!r} is not allowed: {expected} is expected")


def make_method(name: str, cfg: Tree, key: str, overrides: Tree = NOTHING) -> Recommender:
    """The unfitted model that ``name`` means: family/point, such as knn/item.

    ``key`` is where the name stands in the configuration; see `make_point` for the rest.
    """
    family, _, point = name.partition("/")
    if not point:
        raise ConfigError(f"{key}: {name!r} is not family/point (such as mf/biased-dim50)")
    return make_point(family, point, cfg, overrides)


def make_point(family: str, point: str, cfg: Tree, overrides: Tree = NOTHING) -> Recommender:
    """The unfitted model of a point, such as ``mf`` and ``biased-dim50``.

    Hyper-parameters are those of the family's group, above them what its ``kinds`` say of the
    kind, above them ``overrides``, above them the axes that the name spells; what the name leaves
    out, or calls ``auto``, is as the group says.

    Raises
    ------
    ConfigError
        No such family, a name that is not a point's, or impossible hyper-parameters.
    """
    kinds = kinds_of(family)
    axes = {axis: value for axis, value in parse_point(point).items() if value != AUTO}
    group = {**cfg[family], **axes}
    special = group.pop("kinds", {})
    kind = group.get(KIND, family)
    if kind not in kinds:
        raise ConfigError(f"{family}.{KIND}: {kind!r} is not one of {', '.join(kinds)}")
    cls = kinds[kind]
    values = group | special.get(kind, {}) | dict(overrides) | axes
    values |= shared(cfg) | {SEED: axes.get(SEED, cfg[SEED])}
    if KIND not in cls.config_class.model_fields:
        values.pop(KIND, None)
    return cls(parse(cls.config_class, values, family))


def shared(cfg: Tree) -> dict[str, Any]:
    """The part of a model's configuration that all models share."""
    return {"scale": cfg["data"]["scale"], "bias": cfg["bias"], "keep_seen": cfg["keep_seen"]}


def _numbered(axis: str, value: int | None) -> str | None:
    return None if value is None else f"{axis}{value}"
