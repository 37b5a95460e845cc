"""A sign of life for work that has no steps to count; where there are steps, tqdm shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show a spinner with ``what`` on stderr while the block runs; nothing off a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(what):
        yield
