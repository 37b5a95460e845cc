"""Mutated small files: the reader against Python's `csv` in its strict mode.

``python -m tests.sources.fuzz --files 1000000 --seed 0`` prints a table of what came of them and
ends with status 1 if a file gave other rows than the referee without an error.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cofilter.core.errors import CofilterError
from cofilter.sources.delimited import TextFormat, read_text

Rows = list[tuple[str | None, ...]]

SEEDS = (
    b"user,item,rating\n1,10,4\n2,11,3.5\n",
    b'"user","item","title"\r\n"a","b","x, ""y"" z"\r\n"c","d","two\nlines"\r\n',
    b"u\ti\tr\n007\tB\xc3\xa9\t4\n\n8\tx\t\n",
    b'u;i;r\r1;"2";3\r4;5;6\r',
    b"1,2\n3,4",
    b"\xef\xbb\xbfu,i\n \xe2\x82\xac,2\n,\n",
    "u,i\n1,2\n".encode("utf-16"),
)
PIECES = (
    *(b'"', b'""', b'","', b"\n", b"\r", b"\r\n", b"\n\n", b"\x00", b"\x1e", b"\x1f", b" ", b"\t"),
    *(b",", b";", b",,", b'"\n"', b'\n"', b'"x"y', b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\x85"),
    *(b"\xe2\x80\xa8", b"\xc3\xa9", b"\xf0\x9f\x8e\xac", b"\x0b\x0c", b"#", b"\\", b"'", b"NULL"),
    *(b"x" * 300, b"9" * 5000),
)
FORMATS = [
    {"delimiter": delimiter, "quote": quote, "has_header": has_header}
    for delimiter, quote, has_header in itertools.product(
        ",;\t", ('"', '"', None, "'"), (True, False, False)
    )
]


def mutated(rng: random.Random) -> bytes:
    """One small file."""
    content = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(0, 6)):
        at = rng.randint(0, len(content))
        until = min(len(content), at + rng.randint(0, 4))
        what = rng.random()
        if what < 0.6:
            content[at:at] = rng.choice(PIECES)
        elif what < 0.8:
            del content[at:until]
        elif what < 0.9:
            content[at:at] = content[at:until] * rng.randint(1, 3)
        else:
            content[at:until] = rng.choice(PIECES)
    return bytes(content)


def by_reader(content: bytes, form: dict[str, Any]) -> Rows:
    """All columns of a file by their places, by the reader."""
    text = TextFormat(multiline=True, **form)
    columns: dict[str, str | int] = {"1": 1}
    rows = read_text("x", content, text, columns)
    for width in itertools.count(2):
        try:
            rows = read_text("x", content, text, columns | {str(width): width})
        except CofilterError:
            break
        columns[str(width)] = width
    return rows.frame.rows()


def by_csv(content: bytes, form: dict[str, Any]) -> Rows:
    """The same by Python's `csv`; raises `ValueError` or `csv.Error` for what is no table."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16")
    else:
        text = content.decode("utf-8-sig")
    quoting: Any = csv.QUOTE_NONE if form["quote"] is None else csv.QUOTE_MINIMAL
    lines = io.StringIO(text, newline="")
    csv.field_size_limit(1 << 30)
    records = csv.reader(
        lines, delimiter=form["delimiter"], quotechar=form["quote"], quoting=quoting, strict=True
    )
    rows = [tuple(field or None for field in record) for record in records]
    rows = [row for row in rows if not blank(row)]
    if not rows or len({len(row) for row in rows}) > 1:
        raise ValueError("no table")
    rows = rows[1:] if form["has_header"] else rows
    if not rows:
        raise ValueError("no rows")
    return rows


def blank(row: tuple[str | None, ...]) -> bool:
    """Whether a row has nothing but blanks."""
    return not any((field or "").strip(" \t") for field in row)


def compare(content: bytes, form: dict[str, Any]) -> str:
    """``equal``, ``both refuse``, ``refused`` by the reader alone, or what is ``WRONG``."""
    try:
        expected: Rows | None = by_csv(content, form)
    except (ValueError, csv.Error):
        expected = None
    try:
        found = by_reader(content, form)
    except CofilterError as error:
        if "\n" in str(error):
            return "WRONG: a message of several lines"
        return "both refuse" if expected is None else f"refused: {reason(str(error))}"
    if expected is None:
        return "WRONG: read what the referee refuses"
    return "equal" if found == expected else "WRONG: other rows"


def reason(message: str) -> str:
    """What a message is about."""
    about = (
        "NUL",
        "one column",
        "more than once",
        "no column",
        "fields, but",
        "not utf-",
        "no rows",
    )
    return next((each for each in about if each in message), message)


def cases(files: int, seed: int) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """As many files and formats as wanted, the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(files):
        yield mutated(rng), rng.choice(FORMATS)


def main() -> int:
    """Fuzz; 1 when a file was read wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    begin = time.perf_counter()
    for content, form in cases(asked.files, asked.seed):
        outcome = compare(content, form)
        counts[outcome] += 1
        if outcome.startswith("WRONG") and counts[outcome] < 5:
            print(outcome, form, content)
    print(f"{asked.files:,} files, seed {asked.seed}, {time.perf_counter() - begin:.0f} s")
    for outcome, count in counts.most_common():
        print(f"{count:>10,}  {outcome}")
    return int(any(outcome.startswith("WRONG") for outcome in counts))


if __name__ == "__main__":
    sys.exit(main())
