"""Names of the points of each family, as dvc.yaml spells their folders."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from cofilter.errors import ConfigError

WITHOUT_SEEDS = ("baseline", "knn", "ease")  # families with nothing stochastic to repeat

# A kind, a dim and a seed, each optional.
_POINT = re.compile(
    r"(?:(?P<kind>(?!dim\d|seed\d)\w+)(?:-|$))?(?:dim(?P<dim>\d+)(?:-|$))?(?:seed(?P<seed>\d+))?(?<!-)"
)


def point_name(kind: str | None = None, dim: int | None = None, seed: int | None = None) -> str:
    """Folder name of a point, of the axes that its family has, such as ``biased-dim50-seed0``."""
    parts = (kind, _numbered("dim", dim), _numbered("seed", seed))
    return "-".join(part for part in parts if part is not None)


def parse_point(name: str) -> dict[str, Any]:
    """The axes that a point's name spells: ``biased-dim50`` is kind biased and dim 50."""
    spelled = _POINT.fullmatch(name)
    if spelled is None:
        raise ConfigError(f"{name!r} is not a point (such as item, biased-dim50, dim50)")
    found = {axis: value for axis, value in spelled.groupdict().items() if value is not None}
    return {axis: value if axis == "kind" else int(value) for axis, value in found.items()}


def expected_points(cfg: dict[str, Any]) -> list[tuple[str, str]]:
    """(family, point) of every model that the configuration's sweep names."""
    expected = []
    for family, axes in cfg["points"].items():
        seeds = {} if family in WITHOUT_SEEDS else {"seed": cfg["seeds"]}
        named = axes if isinstance(axes, dict) else {"kind": axes}
        names, values = zip(*(named | seeds).items(), strict=True)
        points = (dict(zip(names, point, strict=True)) for point in product(*values))
        expected += [(family, point_name(**point)) for point in points]
    return expected


def _numbered(axis: str, value: int | None) -> str | None:
    return None if value is None else f"{axis}{value}"
