"""What every stage shares: Hydra in, one clear line out when something is wrong."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cofilter.errors import CofilterError, Interrupted
from cofilter.paths import main_checkout
from stages.drift import report_drift

log = logging.getLogger("cofilter")

CONF = "../../conf"  # from this file's folder
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
            log.warning("%s", interrupted)
            sys.exit(128 + interrupted.signal_number)
        except CofilterError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(USER_ERROR)
        if out != Path.cwd():
            log.info("outputs: %s", out)

    report_drift()
    # Hydra looks for CONF beside the module that its task function says it comes from.
    task.__module__ = __name__
    return hydra.main(version_base="1.3", config_path=CONF, config_name="config")(task)
