"""Typed configuration: frozen, no unknown keys, impossible values refused by name."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cofilter.core.errors import ConfigError


class Config(BaseModel):
    """Base of every configuration; instances are immutable and compare by value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values from which a configuration is made, with defaults that depend on them beneath."""
        return dict(values)


C = TypeVar("C", bound=Config)


def parse(cls: type[C], values: Mapping[str, Any], key: str = "") -> C:
    """Make a ``cls`` from plain values, as a composed YAML file gives them.

    Types are strict ("10" is no int, 1.5 is no int, true is no number), except that lists become
    tuples and integers become floats where the field says so.

    Parameters
    ----------
    values:
        Plain Python values (no OmegaConf nodes).
    key:
        Where these values stand in the whole configuration, for example ``"mf"``.

    Raises
    ------
    ConfigError
        One line that names each wrong key, its value and what is allowed.
    """
    _refuse_non_finite(values, key)
    try:
        # Through JSON, because pydantic's strict mode takes a JSON list for a tuple.
        written = json.dumps(cls.completed(values), default=_refuse_foreign)
        return cls.model_validate_json(written, strict=True)
    except ValidationError as error:
        problems = (_explain(problem, key, cls) for problem in error.errors(include_url=False))
        raise ConfigError("; ".join(problems)) from None


def plain(values: Any) -> Any:
    """Values as `parse` takes them: configurations become dictionaries, tuples lists.

    NumPy's numbers become Python's.
    """
    if isinstance(values, Config):
        return values.model_dump(mode="json")
    if isinstance(values, numbers.Real) and not isinstance(values, bool | int | float):
        return int(values) if isinstance(values, numbers.Integral) else float(values)
    if isinstance(values, Mapping):
        return {str(key): plain(value) for key, value in values.items()}
    return [plain(value) for value in values] if isinstance(values, list | tuple) else values


def _explain(problem: Mapping[str, Any], key: str, cls: type[Config]) -> str:
    name = ".".join(str(part) for part in ([key] if key else []) + list(problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{name}: unknown key (allowed: {', '.join(sorted(cls.model_fields))})"
    if problem["type"] == "missing":
        return f"{name}: missing"
    message = problem["msg"].removeprefix("Value error, ")
    given = problem["input"]
    where = name or cls.__name__
    if isinstance(given, dict):  # a rule over several keys; the message names them
        return f"{where}: {message}"
    return f"{where}: {json.dumps(given)} is not allowed: {message[:1].lower()}{message[1:]}"


def _refuse_foreign(value: Any) -> None:
    raise ConfigError(f"{value!r} is not allowed: a {type(value).__name__} is no plain value")


def _refuse_non_finite(value: Any, key: str) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _refuse_non_finite(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key}: {value} is not allowed: a finite number is expected")
