"""Libraries of extras that parts of a release need, asked for when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from cofilter.core.errors import MissingDependencyError


def needed(module: str, what: str, extra: str) -> Any:
    """The module; a `MissingDependencyError` says what needs it, and which extra has it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise MissingDependencyError(
            f"{what} needs {library}: pip install 'cofilter[{extra}]'"
        ) from None
