"""Where params.yaml differs from what conf/ composes to, since `dvc repro` never composes.

``python -m stages.drift`` says it of this checkout.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cofilter.core.paths import main_checkout

CONF = Path(__file__).parents[2] / "conf"
PIPELINE = "config"  # the primary configuration of the stages that DVC runs
PARAMS = Path("params.yaml")
ALONE = 3  # a group in which more keys differ is named once
NAMES = 6  # at most so many names in a line


def inside_dvc() -> bool:
    """Whether this stage reads params.yaml, as dvc.yaml starts it."""
    return "--config-name=params" in sys.argv and PARAMS.exists()


def say_drift(*, failed: bool) -> None:
    """Print `drift`, in a stage that DVC runs; of an experiment that succeeds it is no news."""
    news = failed or "DVC_EXP_NAME" not in os.environ
    if inside_dvc() and news and (note := drift()):
        print(note, file=sys.stderr)


def drift() -> str | None:
    """One line that names what differs, why, and the way back; None when nothing does.

    In a temporary copy of the tree (``dvc exp run --temp`` or ``--queue``) nothing stays changed.
    """
    from hydra.errors import HydraException  # Hydra is slow to import, and only errors need it

    if not PARAMS.exists() or main_checkout() != Path.cwd():
        return None
    try:
        keys = set(differences(composed(), yaml.safe_load(PARAMS.read_text(encoding="utf-8"))))
    except (HydraException, OmegaConfBaseException, yaml.YAMLError):
        return None  # conf/ or params.yaml is broken, and whoever reads it says how
    if not keys:
        return None
    experiment = "this experiment set it, and it stays so"
    earlier = "an earlier `dvc exp run -S …` set it, or conf/ was edited since"
    why = experiment if "DVC_EXP_NAME" in os.environ else earlier
    return f"note: params.yaml differs from conf/ in {named(keys)}: {why}; `make params` goes back"


def named(keys: Iterable[str]) -> str:
    """Dotted keys in a few names: ``mf (12 keys), refit and 2 more``."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in sorted(keys):
        groups[key.partition(".")[0]].append(key)
    names: list[str] = []
    for group, members in groups.items():
        names += members if len(members) <= ALONE else [f"{group} ({len(members)} keys)"]
    rest = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {rest} more" if rest > 0 else "")


def composed(primary: str = PIPELINE) -> dict[str, Any]:
    """What conf/ composes to, with interpolations resolved, as DVC writes it to params.yaml."""
    import hydra
    from hydra.core.global_hydra import GlobalHydra

    running = GlobalHydra.instance().hydra  # of the app that is running, if any
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = hydra.compose(primary)
    finally:
        GlobalHydra.instance().hydra = running
    OmegaConf.resolve(cfg)
    values = OmegaConf.to_container(cfg)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def differences(left: Any, right: Any, key: str = "") -> Iterator[str]:
    """Dotted keys of the leaves in which two trees differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in left.keys() | right.keys():
            inner = f"{key}.{name}" if key else name
            if name in left and name in right:
                yield from differences(left[name], right[name], inner)
            else:
                yield inner
    elif left != right:
        yield key


if __name__ == "__main__":
    if note := drift():
        print(note)
