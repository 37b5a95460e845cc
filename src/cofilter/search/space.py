"""The space of a search: which hyper-parameters vary, and between which values.

A space is a tree like the configuration group of its family. A leaf is ``{low, high, log}`` or
``{choices}``, and its dotted path names the hyper-parameter: ``lr``, ``kinds.svdpp.lr``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from pydantic import Field, model_validator

from cofilter.core.config import Config, parse
from cofilter.core.errors import ConfigError
from cofilter.recommender.base import Recommender

KINDS = "kinds"
DIGITS = 4  # significant ones of a drawn number, so that a configuration can be read

Value = bool | int | float | str | None
Tree = Mapping[str, Any]
Make = Callable[[Tree], Recommender]


class Suggests(Protocol):
    """The part of an `optuna.Trial` that draws values."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """A whole number, both ends possible."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """A number."""

    def suggest_categorical(self, name: str, choices: tuple[Value, ...]) -> Any:
        """One of the choices."""


class Range(Config):
    """Numbers from ``low`` to ``high``; whole ones where both ends are.

    ``log``: equal ratios are equally likely, not equal differences.
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low} with log: a number above 0 is expected")
        return self

    def examples(self) -> tuple[Value, ...]:
        """Both ends."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether a value lies within."""
        kinds = int if isinstance(self.low, int) and isinstance(self.high, int) else (int, float)
        return isinstance(value, kinds) and self.low <= value <= self.high

    def suggest(self, trial: Suggests, path: str) -> Value:
        """Draw one."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(path, self.low, self.high, log=self.log)
        drawn = trial.suggest_float(path, self.low, self.high, log=self.log)
        return min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high)


class Choices(Config):
    """One of some values."""

    choices: tuple[Value, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"choices {list(self.choices)} name a value twice")
        return self

    def examples(self) -> tuple[Value, ...]:
        """All of them."""
        return self.choices

    def holds(self, value: Any) -> bool:
        """Whether a value is among them."""
        return value in self.choices

    def suggest(self, trial: Suggests, path: str) -> Value:
        """Draw one."""
        found: Value = trial.suggest_categorical(path, self.choices)
        return found


Dimension = Range | Choices
Space = dict[str, Dimension]


def space_of(spaces: Tree, family: str, kind: str | None, key: str) -> Space:
    """What may vary of one method, by dotted path: its family's tree, of ``kinds`` its own alone.

    Raises
    ------
    ConfigError
        There is nothing to vary, or a leaf is impossible.
    """
    tree = dict(spaces.get(family) or {})
    kinds = tree.pop(KINDS, None) or {}
    own = {kind: kinds[kind]} if kind is not None and kinds.get(kind) else {}
    found = _dimensions(tree | ({KINDS: own} if own else {}), f"{key}.{family}")
    if not found:
        kinds_key = f" or {key}.{family}.{KINDS}.{kind}" if kind is not None else ""
        raise ConfigError(f"{key}.{family}{kinds_key}: nothing to search is named there")
    return found


def _dimensions(tree: Tree, key: str) -> Space:
    found: Space = {}
    for name, inner in tree.items():
        where = f"{key}.{name}"
        if inner is None:
            continue
        if not isinstance(inner, Mapping):
            raise ConfigError(
                f"{where}: {inner!r} is not allowed: {{low, high, log}} or {{choices}} is expected"
            )
        if "choices" in inner:
            found[name] = parse(Choices, inner, where)
        elif inner.keys() & Range.model_fields.keys():
            found[name] = parse(Range, inner, where)
        else:
            found |= {f"{name}.{path}": each for path, each in _dimensions(inner, where).items()}
    return found


def check_space(space: Space, make: Make, key: str) -> None:
    """Make a model at the ends of every dimension, and see that each dimension changes it.

    Raises
    ------
    ConfigError
        A hyper-parameter does not exist, may not have such a value, or has no effect: the
        method's name sets it, or its kind has a value of its own.
    """
    for path, dimension in space.items():
        models = [make(tree_of({path: value})) for value in dimension.examples()]
        if all(model.config == models[0].config for model in models):
            raise ConfigError(
                f"{key}.{path}: changes nothing in this method "
                "(its name or its kind sets the value already)"
            )


def values_at(space: Space, group: Tree) -> dict[str, Any]:
    """The values that a configuration group has, a kind's own before the common ones."""
    return {path: _value_at(group, path) for path in space}


def _value_at(group: Tree, path: str) -> Any:
    at: Any = group
    for step in path.split("."):
        if step not in at:
            return group.get(path.rpartition(".")[2])
        at = at[step]
    return at


def tree_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted path as a tree."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *steps, last = path.split(".")
        at = tree
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = value
    return tree


def merged(base: Tree, over: Tree) -> dict[str, Any]:
    """``base`` with the leaves of ``over`` laid over it; neither is changed."""
    result = dict(base)
    for name, value in over.items():
        below = result.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            value = merged(below, value)
        result[name] = value
    return result
