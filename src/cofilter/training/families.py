"""Families of models by name.

A family is a folder of `cofilter.models` whose ``model.py`` names its ``KINDS``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from pkgutil import iter_modules

from cofilter.core.errors import ConfigError
from cofilter.recommender.base import Recommender

FOLDER = Path(__file__).parents[1] / "models"
ENSEMBLE = "ensemble"  # made of other models, so no point of a sweep


def families() -> tuple[str, ...]:
    """Names of all families that a sweep can train, in alphabetical order."""
    found = iter_modules([str(FOLDER)])
    return tuple(each.name for each in found if each.ispkg and each.name != ENSEMBLE)


def kinds_of(family: str) -> Mapping[str, type[Recommender]]:
    """The classes of a family by kind; a family of one model has one, of its own name.

    Raises
    ------
    ConfigError
        There is no such family.
    """
    if family not in families():
        raise ConfigError(f"{family!r} is not a family of models ({', '.join(families())})")
    kinds: Mapping[str, type[Recommender]] = importlib.import_module(
        f"cofilter.models.{family}.model"
    ).KINDS
    return kinds
