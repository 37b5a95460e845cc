from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.tracking.config import TrackingConfig
from tests.tracking.runs import config

CONF = Path(__file__).parents[2] / "conf"


def composed(choice: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF / "tracking"), version_base=None):
        plain = OmegaConf.to_container(compose(choice))
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def test_both_choices_are_whole_and_differ_in_mode_only() -> None:
    wandb, disabled = composed("wandb"), composed("disabled")
    assert parse(TrackingConfig, wandb).mode == "auto"
    assert parse(TrackingConfig, disabled).mode == "disabled"
    assert wandb | {"mode": "disabled"} == disabled


@pytest.mark.parametrize(
    ("key", "value"),
    [("mode", "on"), ("project", ""), ("init_timeout", 0), ("tags", []), ("registry", "a/b")],
)
def test_a_wrong_value_is_named(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"tracking.{key}"):
        parse(TrackingConfig, composed("wandb") | {key: value}, "tracking")


@pytest.mark.parametrize(
    ("variable", "wanted"),
    [
        (None, "auto"),
        ("online", "online"),
        ("offline", "offline"),
        ("dryrun", "offline"),
        ("disabled", "disabled"),
    ],
)
def test_auto_follows_the_variable(variable: str | None, wanted: str) -> None:
    if variable is not None:
        os.environ["WANDB_MODE"] = variable
    assert config(mode="auto").wanted_mode == wanted


def test_the_registry_s_collection_is_called_like_the_project() -> None:
    assert config(registry="model").registry_target == "wandb-registry-model/p"
    assert config().registry_target is None


def test_a_named_mode_ignores_the_variable() -> None:
    os.environ["WANDB_MODE"] = "disabled"
    assert config(mode="offline").wanted_mode == "offline"
