"""The records of delimited text, by the rules of Python's `csv` module in its strict mode.

A quote opens a quoted field only as the field's first byte, and is a character anywhere else; two
quotes in a quoted field are one; after the closing quote a delimiter or a line end must follow.
Lines end with ``\\n``, ``\\r\\n`` or ``\\r``. Beyond `csv`: delimiters of several bytes, comment
lines, and lines whose fields are all empty or blank, in quotes or not, which are no records.
"""

from __future__ import annotations

import numpy as np

from cofilter.core.compiled import compiled

# Places in ``facts`` (int64). Lines count from 1; 0 means that there is none.
(
    RECORDS,
    BLANK,  # lines of blank fields alone
    COMMENTS,
    WIDTH,  # fields of the first record
    UNEVEN,  # records with another number of fields, and of the first of them
    UNEVEN_LINE,
    UNEVEN_FIELDS,
    QUOTED,  # fields in quotes
    BROKEN_LINE,  # where the first field with a line break in it begins
    LONE_CR,  # records that end with a carriage return alone
    FAULT,  # `AFTER_QUOTE` or `OPEN_QUOTE`, which end the walk
    LINE,  # where the last record began
    LONGEST,  # bytes of the longest record
    LONGEST_LINE,
    END,  # where the walk ended: offset, line, and the bytes written
    END_LINE,
    WRITTEN,
) = range(17)
N_FACTS = 17
AFTER_QUOTE, OPEN_QUOTE = 1, 2
_LF, _CR, _SPACE, _TAB = 10, 13, 32, 9


@compiled()
def _at(text: np.ndarray, position: int, word: np.ndarray) -> bool:
    if position + len(word) > len(text):
        return False
    for i in range(len(word)):  # noqa: SIM110 - compiled, a loop is faster than a generator
        if text[position + i] != word[i]:
            return False
    return True


@compiled()
def walk(
    text: np.ndarray,
    marks: tuple[np.ndarray, np.ndarray, int],
    begin: tuple[int, int],
    limit: int,
    out: np.ndarray,
    plain: tuple[int, int, int],
) -> np.ndarray:
    """Count the records of a text and, if there is room for it, write them without quotes.

    Parameters
    ----------
    text:
        uint8[n], UTF-8.
    marks:
        Bytes of the delimiter, bytes that begin a comment line (none: empty), and the quote's
        byte (-1: none).
    begin:
        Offset of a record's first byte, and its line.
    limit:
        Stop after so many records; -1: no limit.
    out:
        uint8[m], the records with ``plain`` between and after their fields; stops before a record
        that might not fit. Empty: nothing is written.
    plain:
        Bytes written between the fields, after a record, and for a carriage return in a field.

    Returns
    -------
    facts, at the places named above.
    """
    # One long function: in parts, of a field each, it takes six times as long.
    delimiter, comment, quote = marks
    first = delimiter[0]
    facts = np.zeros(N_FACTS, np.int64)
    n = len(text)
    writes = len(out) > 0
    position, line = begin
    written = 0
    while position < n:
        if facts[RECORDS] == limit:
            break
        start, start_line, mark = position, line, written
        if len(comment) > 0 and _at(text, position, comment):
            while position < n and text[position] != _LF and text[position] != _CR:
                position += 1
            facts[COMMENTS] += 1
            if position + 1 < n and text[position] == _CR and text[position + 1] == _LF:
                position += 1
            position += 1
            line += 1
            continue
        fields, blank, full = 0, True, False
        while True:
            from_ = position
            if quote >= 0 and position < n and text[position] == quote:
                facts[QUOTED] += 1
                field_line = line
                position += 1
                while True:
                    if position >= n:
                        facts[FAULT], facts[LINE] = OPEN_QUOTE, field_line
                        return facts
                    byte = text[position]
                    if byte == quote:
                        position += 1
                        if position >= n or text[position] != quote:
                            break
                    elif byte == _LF or byte == _CR:  # noqa: SIM109 - as fast as can be
                        if not (byte == _CR and position + 1 < n and text[position + 1] == _LF):
                            line += 1
                        if facts[BROKEN_LINE] == 0:
                            facts[BROKEN_LINE] = field_line
                    if byte != _SPACE and byte != _TAB:
                        blank = False
                    if writes:
                        if written >= len(out):
                            full = True
                            break
                        out[written] = plain[2] if byte == _CR else byte
                        written += 1
                    position += 1
                if full:
                    break
                if (
                    position < n
                    and text[position] != _LF
                    and text[position] != _CR
                    and not _at(text, position, delimiter)
                ):
                    facts[FAULT], facts[LINE] = AFTER_QUOTE, field_line
                    return facts
            else:
                while position < n:
                    byte = text[position]
                    if byte == _LF or byte == _CR:  # noqa: SIM109 - as fast as can be
                        break
                    if byte == first and (len(delimiter) == 1 or _at(text, position, delimiter)):
                        break
                    position += 1
                if blank:
                    for i in range(from_, position):
                        if text[i] != _SPACE and text[i] != _TAB:
                            blank = False
                            break
                if writes:
                    if written + position - from_ > len(out):
                        full = True
                        break
                    for i in range(from_, position):
                        out[written] = text[i]
                        written += 1
            fields += 1
            ends = position >= n or text[position] == _LF or text[position] == _CR
            if writes:
                if written >= len(out):
                    full = True
                    break
                out[written] = plain[1] if ends else plain[0]
                written += 1
            if ends:
                break
            position += len(delimiter)
        if full:
            position, line, written = start, start_line, mark
            break
        if position - start > facts[LONGEST]:
            facts[LONGEST], facts[LONGEST_LINE] = position - start, start_line
        if position < n:
            lone = text[position] == _CR
            if lone and position + 1 < n and text[position + 1] == _LF:
                position += 1
                lone = False
            facts[LONE_CR] += lone
            position += 1
            line += 1
        if blank:
            facts[BLANK] += 1
            written = mark
            continue
        facts[RECORDS] += 1
        facts[LINE] = start_line
        if facts[WIDTH] == 0:
            facts[WIDTH] = fields
        elif fields != facts[WIDTH]:
            if facts[UNEVEN] == 0:
                facts[UNEVEN_LINE], facts[UNEVEN_FIELDS] = start_line, fields
            facts[UNEVEN] += 1
    facts[END], facts[END_LINE], facts[WRITTEN] = position, line, written
    return facts
