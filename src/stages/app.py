"""What every stage shares: Hydra in, one clear line out when something is wrong."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cofilter.core.errors import CofilterError, Interrupted
from cofilter.core.paths import main_checkout
from stages import messages
from stages.drift import report_drift

CONF = "../../conf"  # from this file's folder
FULL_ERROR = "HYDRA_FULL_ERROR"
USER_ERROR = 2  # exit code of a mistake that the user can mend


@dataclass(frozen=True)
class Run:
    """One run of a stage.

    Attributes
    ----------
    cfg:
        The composed configuration as plain values.
    out:
        Where outputs go: the checkout when DVC runs the stage, else Hydra's own run folder, so
        that a direct run never writes over DVC's outputs.
    root:
        The main checkout: home of checkpoints, logs, downloads and of relative paths.
    """

    cfg: dict[str, Any]
    out: Path
    root: Path


def plain(value: Any) -> Any:
    """Plain values with None where conf/ says ``???`` (nothing given, see data_dependency)."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    return None if value == "???" else value


def stage(work: Callable[[Run], None]) -> Callable[[], None]:
    """Make a Hydra app of a function that does a stage's work."""

    @functools.wraps(work)
    def task(cfg: DictConfig) -> None:
        out = Path(HydraConfig.get().runtime.output_dir)
        try:
            work(Run(plain(OmegaConf.to_container(cfg, resolve=True)), out, main_checkout()))
        except Interrupted as interrupted:
            messages.interrupted(interrupted)
            sys.exit(128 + interrupted.signal_number)
        except CofilterError as error:
            messages.one_line(error)
            sys.exit(USER_ERROR)
        if out != Path.cwd():
            messages.outputs(out)

    # Hydra looks for CONF beside the module that its task function says it comes from.
    task.__module__ = __name__
    app = hydra.main(version_base="1.3", config_path=CONF, config_name="config")(task)

    @functools.wraps(work)
    def main() -> None:
        if FULL_ERROR in os.environ:  # asked for by hand: stack traces, also of wrong keys
            return app()
        os.environ[FULL_ERROR] = "1"  # else Hydra prints its errors itself, over several lines
        try:
            report_drift()
            app()
        except (HydraException, OmegaConfBaseException) as error:
            messages.one_line(error)
            sys.exit(USER_ERROR)

    return main
