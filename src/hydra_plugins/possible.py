"""Lets DVC refuse an impossible experiment while it composes the configuration.

`dvc exp run` removes outputs that the new parameters no longer name before it starts the first
stage, so that the stage check comes too late for them. Composing comes first, and an exit from it
leaves the workspace as it was. Hydra finds this module because `.dvc/config` and PYTHONPATH name
the folder above; conf/config.yaml calls it by ``${possible:}``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

KEY = "possible"
RUNS_EXPERIMENTS = "dvc.repo.experiments"  # in DVC's process; a stage refuses by itself


def possible(*, _root_: DictConfig) -> bool:
    """True; in DVC's process it ends with one line when a stage could not run."""
    if RUNS_EXPERIMENTS in sys.modules:
        rest = OmegaConf.masked_copy(_root_, [str(name) for name in _root_ if name != KEY])
        _refuse_impossible(rest)
    return True


def _refuse_impossible(cfg: DictConfig) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's code, not an installed one
    from cofilter.core.errors import CofilterError
    from stages import messages
    from stages.app import plain
    from stages.messages import USER_ERROR
    from stages.possible import possible_methods

    try:
        possible_methods(plain(OmegaConf.to_container(cfg, resolve=True)))
    except CofilterError as error:
        messages.one_line(error)
        sys.exit(USER_ERROR)


OmegaConf.register_new_resolver(KEY, possible, replace=True)
