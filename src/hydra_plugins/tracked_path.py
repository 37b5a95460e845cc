"""What DVC watches for ``data.path``: conf/config.yaml calls it by ``${tracked_path:…}``.

An address or a database is no file, and a glob stands for the folder that it searches.
"""

from __future__ import annotations

import sys
from pathlib import Path

from omegaconf import OmegaConf

KEY = "tracked_path"


def tracked_path(path: str | None) -> str:
    """The local file or folder; ``???`` and null give a file that never changes."""
    sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's code, not an installed one
    from cofilter.sources import locations

    return locations.tracked_path(None if path == "???" else path)


OmegaConf.register_new_resolver(KEY, tracked_path, replace=True)
