"""A delimited text's records: counted, found by their number, and written without quotes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cofilter.sources.kernels import records as kernel

# Control characters that may stand for delimiter and line ends, where the text has them not.
_SPARE = bytes(byte for byte in (0x1F, 0x1E, *range(1, 0x1E), 0x7F) if byte not in b"\t\n\r")
_BLOCK = 1 << 26  # bytes written at once


@dataclass(frozen=True)
class Records:
    """The records of a text in UTF-8 (see `cofilter.sources.kernels.records` for the rules).

    ``delimiter`` has one or more characters, ``quote`` and ``comment`` may be None.
    """

    text: bytes
    delimiter: str
    quote: str | None
    comment: str | None

    @cached_property
    def facts(self) -> np.ndarray:
        """What one walk over the whole text counts."""
        return self._walk((0, 1), -1, 0)[0]

    def __getitem__(self, fact: int) -> int:
        return int(self.facts[fact])

    def first(self) -> list[str]:
        """Fields of the first record, quotes taken off."""
        end = int(self._walk((0, 1), 1, 0)[0][kernel.END])
        alone = replace(self, text=self.text[:end])
        (written,) = alone.blocks()
        field_end, record_end, in_field = alone.spare
        first = written.removesuffix(record_end).replace(in_field, b"\r")
        return first.decode().split(field_end.decode())

    def line(self, index: int) -> int:
        """Line on which the record with that 0-based number begins."""
        return int(self._walk((0, 1), index + 1, 0)[0][kernel.LINE])

    @cached_property
    def spare(self) -> tuple[bytes, bytes, bytes]:
        """Three bytes that the text has not.

        `blocks` has them between fields, after records, and for a carriage return in a field,
        which a parser would take off the field's end.
        """
        unused = (bytes([byte]) for byte in _SPARE if bytes([byte]) not in self.text)
        spare = list(itertools.islice(unused, 3))
        if len(spare) < 3:
            raise ValueError("the text uses all control characters")
        return spare[0], spare[1], spare[2]

    def blocks(self, skip: int = 0) -> Iterator[bytes]:
        """Records from number ``skip`` on, in pieces, written without quotes (see `spare`)."""
        begin = (0, 1)
        if skip:
            facts, _ = self._walk(begin, skip, 0)
            begin = int(facts[kernel.END]), int(facts[kernel.END_LINE])
        room = min(max(_BLOCK, self[kernel.LONGEST] + 1), len(self.text) + 1)
        while begin[0] < len(self.text):
            facts, written = self._walk(begin, -1, room)
            begin = int(facts[kernel.END]), int(facts[kernel.END_LINE])
            if written:
                yield written

    def _walk(self, begin: tuple[int, int], limit: int, room: int) -> tuple[np.ndarray, bytes]:
        marks = (
            np.frombuffer(self.delimiter.encode(), np.uint8),
            np.frombuffer((self.comment or "").encode(), np.uint8),
            -1 if self.quote is None else ord(self.quote),
        )
        field_end, record_end, in_field = self.spare if room else (b"\0", b"\0", b"\0")
        plain = field_end[0], record_end[0], in_field[0]
        out = np.empty(room, np.uint8)
        text = np.frombuffer(self.text, np.uint8)
        facts = kernel.walk(text, marks, begin, limit, out, plain)
        return facts, out[: int(facts[kernel.WRITTEN])].tobytes()
