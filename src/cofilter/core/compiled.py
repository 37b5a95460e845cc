"""`numba.njit` with a cache on disk that notices every edit.

Numba's own cache looks only at the file of the outermost function, so an edit to a function that it
calls from another file would go unnoticed and old machine code would run. Compiled kernels
therefore lie in a folder named by the content of what they may be built from: the modules of their
own folder and the kernels that all families share.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

_PACKAGE = Path(__file__).parents[1]
SHARED = _PACKAGE / "recommender" / "kernels"
CACHE = _PACKAGE / "__pycache__" / "kernels"

F = TypeVar("F", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[F], F]:
    """As ``numba.njit(cache=True, **options)``; ``NUMBA_CACHE_DIR`` in the environment wins."""

    def decorate(function: F) -> F:
        if "NUMBA_CACHE_DIR" in os.environ:
            return numba.njit(cache=True, **options)(function)
        config: Any = numba.config
        before = config.CACHE_DIR
        folder = Path(function.__code__.co_filename).parent
        # Numba reads it once, when the function is decorated.
        config.CACHE_DIR = str(CACHE / content_name(folder))
        try:
            return numba.njit(cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return decorate


@cache
def content_name(folder: Path) -> str:
    """16 hexadecimal digits of the content of a folder's modules and of the shared kernels."""
    digest = hashlib.sha256()
    for source in (*sorted(SHARED.glob("*.py")), *sorted(folder.glob("*.py"))):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
