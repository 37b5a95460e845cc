"""Every system's procedure by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cofilter.core.config import Config, parse
from cofilter.reproduction import r1, r2, r3_grid, r3_implicit, r4, r5
from cofilter.reproduction.config import ReproduceConfig
from cofilter.reproduction.lab import Findings, Lab

Procedure = Callable[[Lab], Findings]

PROCEDURES: dict[str, tuple[type[Config], Callable[[Any, Lab], Findings]]] = {
    "r1_memory_vs_model": (r1.R1Config, r1.run),
    "r2_biased_mf": (r2.R2Config, r2.run),
    "r3_implicit": (r3_implicit.R3ImplicitConfig, r3_implicit.run),
    "r3_svdpp_grid": (r3_grid.R3GridConfig, r3_grid.run),
    "r4_notebook": (r4.R4Config, r4.run),
    "r5_first_principles": (r5.R5Config, r5.run),
}


def procedure_of(config: ReproduceConfig) -> Procedure:
    """The procedure with its parameters; an impossible one is a `ConfigError` that names the key.

    Without a system it finds nothing.
    """
    if config.system is None:
        return lambda lab: Findings([])
    kind, run = PROCEDURES[config.system]
    return partial(run, parse(kind, config.procedure, "reproduce.procedure"))
