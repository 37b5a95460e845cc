from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import Field, ValidationError, model_validator

from cofilter.core.config import Config, parse, plain
from cofilter.core.errors import ConfigError


class Inner(Config):
    rate: float = Field(gt=0)


class Outer(Config):
    dim: int = Field(gt=0)
    inner: Inner
    scale: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Outer:
        if self.scale is not None and self.scale[0] >= self.scale[1]:
            raise ValueError("scale must be [lowest, highest]")
        return self


GOOD: dict[str, Any] = {"dim": 3, "inner": {"rate": 1}, "scale": [1, 5]}


def test_plain_values_become_a_frozen_config() -> None:
    config = parse(Outer, GOOD, "mf")
    assert config == Outer(dim=3, inner=Inner(rate=1.0), scale=(1.0, 5.0))
    assert isinstance(config.inner.rate, float)
    with pytest.raises(ValidationError, match="frozen"):
        config.dim = 4


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dmi": 3}, "mf.dmi: unknown key (allowed: dim, inner, scale)"),
        ({"dim": 0}, "mf.dim: 0 is not allowed: input should be greater than 0"),
        ({"dim": "3"}, 'mf.dim: "3" is not allowed: '),
        ({"dim": 1.5}, "mf.dim: 1.5 is not allowed: "),
        ({"dim": True}, "mf.dim: true is not allowed: "),
        ({"dim": None}, "mf.dim: null is not allowed: "),
        ({"inner": {}}, "mf.inner.rate: missing"),
        ({"inner": {"rate": -1}}, "mf.inner.rate: -1 is not allowed: "),
        ({"inner": {"rate": float("nan")}}, "mf.inner.rate: nan is not allowed: a finite number"),
        ({"inner": {"rate": float("inf")}}, "mf.inner.rate: inf is not allowed: a finite number"),
        ({"scale": [5, 1]}, "mf: scale must be [lowest, highest]"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, GOOD | changes, "mf")
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_numpy_s_numbers_are_numbers_and_other_objects_none() -> None:
    values = {"dim": np.int64(3), "inner": {"rate": np.float32(0.5)}, "scale": (np.int8(1), 5)}
    assert parse(Outer, plain(values)) == Outer(dim=3, inner=Inner(rate=0.5), scale=(1.0, 5.0))
    with pytest.raises(ConfigError, match=r"\{3\} is not allowed: a set is no plain value"):
        parse(Outer, plain({"dim": {3}}))


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"mf\.dim: 0 .*; mf\.inner\.rate: -1 "):
        parse(Outer, GOOD | {"dim": 0, "inner": {"rate": -1}}, "mf")


def test_keys_stand_alone_without_a_place() -> None:
    with pytest.raises(ConfigError, match=r"^dim: missing$"):
        parse(Outer, {"inner": {"rate": 1}})
