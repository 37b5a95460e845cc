from __future__ import annotations

import pytest
import yaml

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.recommender.bias import BiasConfig
from cofilter.recommender.config import ModelConfig
from tests.checkout import PROJECT


def test_scale_must_rise() -> None:
    with pytest.raises(ConfigError, match=r"scale must be \[lowest, highest\], got \[5.0, 1.0\]"):
        parse(ModelConfig, {"scale": [5, 1]}, "mf")


def test_defaults_of_the_biases_are_those_of_conf() -> None:
    conf = yaml.safe_load((PROJECT / "conf" / "config.yaml").read_text(encoding="utf-8"))
    assert parse(BiasConfig, conf["bias"], "bias") == BiasConfig()
