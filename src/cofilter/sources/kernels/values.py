"""Objects and arrays of JSON, counted apart from its parser."""

from __future__ import annotations

import numpy as np

from cofilter.core.compiled import compiled

_QUOTE, _BACKSLASH = 34, 92
_OPEN, _CLOSE = (91, 123), (93, 125)  # brackets and braces


@compiled()
def count(text: np.ndarray, depth: int) -> int:
    """Objects and arrays that begin inside of ``depth`` others; ``text`` is uint8[n], UTF-8."""
    found = level = 0
    in_string = False
    position = 0
    while position < len(text):
        byte = text[position]
        if in_string:
            if byte == _BACKSLASH:
                position += 1
            elif byte == _QUOTE:
                in_string = False
        elif byte == _QUOTE:
            in_string = True
        elif byte == _OPEN[0] or byte == _OPEN[1]:
            found += level == depth
            level += 1
        elif byte == _CLOSE[0] or byte == _CLOSE[1]:
            level -= 1
        position += 1
    return found
