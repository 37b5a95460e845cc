"""W&B sweep files: what an agent would start for them trains, without a server here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from wandb.apis.public.sweeps import _validate_config_and_fill_distribution
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from stages.drift import composed
from stages.forking.start import forking
from tests.checkout import PROJECT, Checkout
from tests.tracking.runs import folders
from tests.tracking.wandb_log import read_run

SWEEPS = sorted((PROJECT / "sweeps").glob("*.yaml"))
# What W&B's documentation of sweep files names.
KEYS = {"program", "command", "method", "metric", "early_terminate", "parameters", "name"}


def sweep(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return _validate_config_and_fill_distribution(found)


def command(path: Path, **small: Any) -> list[str]:
    """What W&B's agent starts: the lowest value of each parameter, and ``small`` ones instead."""
    found = sweep(path)
    told = {
        name: {"value": one.get("value", one.get("min"))}
        for name, one in found["parameters"].items()
    }
    told |= {name: {"value": value} for name, value in small.items()}
    args = create_sweep_command_args({"args": told})
    macros = {"env": ["/usr/bin/env"], "program": [found["program"]], **args}
    parts = create_sweep_command(list(found["command"]))
    return [
        word for part in parts for word in (macros[part[2:-1]] if part.startswith("${") else [part])
    ]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.name)
def test_a_sweep_file_is_whole_and_its_parameters_exist(path: Path) -> None:
    found = sweep(path)
    assert found.keys() <= KEYS
    assert found["method"] in ("bayes", "grid", "random")
    assert (PROJECT / found["program"]).is_file()
    assert "${args_no_hyphens}" in found["command"]
    for name, parameter in found["parameters"].items():
        value: Any = composed()
        for step in name.split("."):
            assert step in value, name
            value = value[step]
        assert parameter.keys() in ({"value"}, {"values"}, {"distribution", "min", "max"})
        assert parameter.get("min", 0) < parameter.get("max", 1)


@pytest.mark.skipif(shutil.which("env") != "/usr/bin/env", reason="W&B's agent needs it")
@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.name)
def test_what_an_agent_starts_trains_and_logs_the_metric(path: Path, checkout: Checkout) -> None:
    small = {"mf.dim": 4, "mf.epochs": 3, "tracking.mode": "offline", "data.scale": "[1,5]"}
    settings = checkout.path / "sweep.yaml"  # as the agent hands them to wandb, beside the command
    settings.write_text(json.dumps({"mf.dim": {"value": 4}}))
    sweeps = {"WANDB_SWEEP_ID": "s1", "WANDB_RUN_ID": "r1", "WANDB_SWEEP_PARAM_PATH": str(settings)}
    active = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command(path, **small),
        cwd=checkout.path,
        env=forking({**os.environ, **active, **sweeps}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder,) = folders(checkout.path)
    run = read_run(folder)
    found = sweep(path)
    watched = run.numbers("epoch", found["metric"]["name"])
    assert [epoch for epoch, _ in watched] == [1, 2, 3]
    assert run.run_id == "r1"
    assert run.config["mf"]["lr"] == found["parameters"]["mf.lr"]["min"]
    assert not [name for row in run.rows for name in row if name.startswith("refit/")]
