"""Fields that are not blank in lines of any number of fields, counted apart from their reader."""

from __future__ import annotations

import numpy as np

from cofilter.core.compiled import compiled

_LF, _CR, _SPACE, _TAB = 10, 13, 32, 9


@compiled()
def count(
    text: np.ndarray, delimiter: np.ndarray, quote: int, skip: int, header: bool
) -> tuple[int, int]:
    """Lines with a field that is not blank, and such fields.

    A field is quoted, as Python's `csv` has it, where the quote is its first byte; a quoted field
    ends with its line at the latest. Lines end with ``\\n``, ``\\r\\n`` or ``\\r``.

    Parameters
    ----------
    text:
        uint8[n], UTF-8.
    delimiter:
        Its bytes; none: any run of blanks and tabs.
    quote:
        The quote's byte; -1: none.
    skip:
        Fields of a line that are not counted, from its beginning.
    header:
        Whether the first line that is not blank does not count.
    """
    n, width = len(text), len(delimiter)
    lines = cells = 0
    position = 0
    while position < n:
        field, filled, on_line = 0, 0, False
        while position < n and text[position] != _LF and text[position] != _CR:
            blank = True
            if quote >= 0 and width > 0 and text[position] == quote:
                position += 1
                while position < n and text[position] != _LF and text[position] != _CR:
                    if text[position] == quote:
                        if position + 1 >= n or text[position + 1] != quote:
                            position += 1
                            break
                        position += 1
                    if text[position] != _SPACE and text[position] != _TAB:
                        blank = False
                    position += 1
            while position < n and text[position] != _LF and text[position] != _CR:
                byte = text[position]
                if width == 0:
                    if byte == _SPACE or byte == _TAB:  # noqa: SIM109 - as fast as can be
                        break
                else:
                    ends = position + width <= n
                    for i in range(width):
                        ends = ends and text[position + i] == delimiter[i]
                    if ends:
                        break
                if byte != _SPACE and byte != _TAB:
                    blank = False
                position += 1
            if width > 0 or not blank:  # a run of blanks ends no field at a line's beginning
                field += 1
            if not blank:
                on_line = True
                filled += field > skip
            if position < n and text[position] != _LF and text[position] != _CR:
                position += max(width, 1)
        if position + 1 < n and text[position] == _CR and text[position + 1] == _LF:
            position += 1
        position += 1
        if on_line and header:
            header = False
        elif on_line:
            lines += 1
            cells += filled
    return lines, cells
