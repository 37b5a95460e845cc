"""Memory that a method will need, foreseen from shapes and refused before it is allocated."""

from __future__ import annotations

import psutil

from cofilter.core.errors import TooLargeError

GIB = 1 << 30


def require_memory(needed: int, what: str, advice: str) -> None:
    """Stop when ``needed`` bytes are not free.

    Parameters
    ----------
    needed:
        Bytes of the largest moment, counted from shapes and dtypes.
    what:
        What they are for, such as ``"EASE's 26,744 × 26,744 matrices"``.
    advice:
        What to do instead.

    Raises
    ------
    TooLargeError
        With both figures.
    """
    free = psutil.virtual_memory().available
    if needed > free:
        raise TooLargeError(
            f"{what} need {needed / GIB:,.1f} GiB of memory, {free / GIB:,.1f} are free; {advice}"
        )
