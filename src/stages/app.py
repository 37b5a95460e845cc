"""What every stage shares: a configuration in, one clear line out when something is wrong."""

from __future__ import annotations

import functools
import logging
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cofilter.core.errors import CofilterError, Interrupted, refusal_of_the_machine
from cofilter.core.io import write_text
from cofilter.core.paths import JOB_ERROR, main_checkout
from stages import messages
from stages.drift import CONF, PARAMS, PIPELINE, inside_dvc, say_drift

FULL_ERROR = "HYDRA_FULL_ERROR"


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

    @property
    def direct(self) -> bool:
        """Whether a person, not DVC, has started it."""
        return self.out != Path.cwd()

    @property
    def logs(self) -> Path:
        """Above ``logs/``: what a direct run measures is not written over the pipeline's."""
        return self.out if self.direct else self.root


def plain(value: Any) -> Any:
    """Plain values with None where conf/ says ``???`` (nothing given, see data_dependency)."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    return None if value == "???" else value


def app(primary: str) -> Callable[[Callable[[Run], None]], Callable[[], None]]:
    """Make a Hydra app of a function that does a stage's work.

    Parameters
    ----------
    primary:
        Name of the app's primary configuration in conf/.
    """

    def decorate(work: Callable[[Run], None]) -> Callable[[], None]:
        @functools.wraps(work)
        def main() -> None:
            try:
                _read_params(work) if inside_dvc() else _compose(work, primary)
            except (OmegaConfBaseException, yaml.YAMLError) as error:
                _refuse(error)  # as PyYAML says: a tag that would run code, a key twice

        return main

    return decorate


stage = app(PIPELINE)


def _read_params(work: Callable[[Run], None]) -> None:
    """Run as DVC starts it: params.yaml with the command's ``key=value``, in the checkout.

    DVC has composed params.yaml already. Hydra would compose it twice more, and a pipeline of
    fifty short stages would spend most of its time on that.
    """
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stdout,
        format="[%(asctime)s][%(name)s][%(levelname)s] - %(message)s",
    )
    cfg = OmegaConf.load(PARAMS)
    OmegaConf.set_struct(cfg, True)  # an unknown key is an error
    overrides = [each for each in sys.argv[1:] if not each.startswith(("--", "hydra"))]
    merged = OmegaConf.merge(cfg, OmegaConf.from_dotlist(overrides))
    assert isinstance(merged, DictConfig)
    _run(work, merged, Path.cwd())


def _compose(work: Callable[[Run], None], primary: str) -> None:
    """Run as a Hydra app, with groups, overrides and ``--multirun``."""
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import HydraException
    from hydra.types import RunMode

    @functools.wraps(work)
    def task(cfg: DictConfig) -> None:
        job = HydraConfig.get()
        one_of_many = job.mode is RunMode.MULTIRUN
        _run(work, cfg, Path(job.runtime.output_dir), one_of_many=one_of_many)

    hydra_app = hydra.main(version_base="1.3", config_path=str(CONF), config_name=primary)(task)
    if FULL_ERROR in os.environ:  # set by hand: stack traces, also of wrong keys
        return hydra_app()
    os.environ[FULL_ERROR] = "1"  # else Hydra prints its errors itself, over several lines
    try:
        hydra_app()
    except HydraException as error:
        _refuse(error)


def _run(
    work: Callable[[Run], None], cfg: DictConfig, out: Path, *, one_of_many: bool = False
) -> None:
    """Do a stage's work. A failed job of a multirun leaves its reason and lets the others run."""
    run = Run(plain(OmegaConf.to_container(cfg, resolve=True)), out, main_checkout())
    try:
        work(run)
    except Interrupted as interrupted:
        messages.interrupted(interrupted)
        sys.exit(128 + interrupted.signal_number)
    except Exception as error:
        refusal = str(error) if isinstance(error, CofilterError) else refusal_of_the_machine(error)
        if not one_of_many:
            if refusal is not None:
                _refuse(CofilterError(refusal))
            raise
        if refusal is not None:
            messages.one_line(CofilterError(refusal))
        else:
            traceback.print_exc()  # a mistake of the programme, which does not end a sweep either
        told = refusal or f"{type(error).__name__}: {error}"
        return write_text(out / JOB_ERROR, told)
    if run.direct:
        messages.outputs(out)


def _refuse(error: Exception) -> NoReturn:
    """End with one line, and in DVC with another on what an experiment left in params.yaml."""
    messages.one_line(error)
    say_drift(failed=True)
    sys.exit(messages.USER_ERROR)
