"""What an unknown file of ratings, clicks or counts seems to be: its form, its columns, its scale.

Nothing here is final: a person is shown what was understood, and every key can be said by hand.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl

from cofilter.core.errors import DataError
from cofilter.core.feedback import Feedback, feedback_of
from cofilter.sources.delimited import DELIMITERS as BY_NAME
from cofilter.sources.time_text import fitting
from cofilter.sources.timestamps import FormError, parse_timestamps

SAMPLE = 1000  # rows that a form is told by
DELIMITERS = ("\t", ",", ";", "|", "::", " ")  # in case of doubt the first
# Beginnings of names by role, the more telling first; of the name in lower case, letters alone.
NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        *("userid", "user", "customer", "client", "visitor", "member", "reviewer", "reader"),
        *("account", "profile", "subscriber", "person", "player", "student", "buyer", "uid"),
        *("household", "session", "kunde", "nutzer"),
    ),
    "item": (
        *("itemid", "item", "product", "movie", "film", "book", "isbn", "asin", "article", "sku"),
        *("stockcode", "track", "song", "artist", "album", "game", "anime", "course", "video"),
        *("recipe", "restaurant", "business", "beer", "joke", "post", "news", "offer", "iid"),
        *("artikel", "produkt"),
    ),
    "timestamp": (
        *("timestamp", "datetime", "time", "date", "unix", "ratedat", "createdat", "ts", "when"),
        *("created", "eventtime", "eventdate", "invoicedate", "orderdate", "reviewtime"),
        *("ratingdate", "ratingtime", "ratingtimestamp", "datum", "zeit"),
    ),
    "rating": (
        *("rating", "stars", "score", "vote", "grade", "overall", "bookrating", "preference"),
        *("quantity", "qty", "plays", "playcount", "count", "listens", "purchases", "clicks"),
        *("views", "weight", "bewertung", "menge"),
    ),
}
_NUMBERS = ("timestamp", "rating")  # roles of numbers, not of ids
_COMMA = re.compile(r"[-+]?\d+,\d+")
_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{4}-\d\d.*")
_EPOCH = (600_000_000, 5_000_000_000)  # seconds: 1989 to 2128
_EVEN = 0.6  # share of lines with the same number of fields below which there is no table
_FEW = 101  # distinct numbers that a scale may have


@dataclass(frozen=True)
class Form:
    """How a delimited file is written, with its first rows as text."""

    delimiter: str
    has_header: bool
    names: tuple[str, ...]  # of the header, otherwise "1", "2", …
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Roles:
    """Which column is which: a name, or a position from 1 where there is no header.

    ``guessed`` names the roles that were told by content or order, not by the column's name.
    """

    user: str | int
    item: str | int
    rating: str | int | None
    timestamp: str | int | None
    guessed: tuple[str, ...]


def form_of(label: str, text: str, delimiter: str | None = None) -> Form:
    """The form of a text by its first rows, and by its delimiter where that is known.

    The delimiter is the one that cuts most of the rows into the same number of fields, two or
    more; of several that do the one with most fields. The first row is a header when it holds no
    number and no time while other rows do, or when two of its fields have names that tell a role.

    Raises
    ------
    DataError
        No delimiter gives two fields a row, or the lines have different numbers of them.
    """
    every = (line.rstrip("\n") for line in io.StringIO(text, newline=None))
    lines = list(islice((line for line in every if line.strip()), SAMPLE))
    best: tuple[float, int, int] | None = None
    chosen = ""
    known = None if delimiter is None else BY_NAME.get(delimiter, delimiter)
    for place, candidate in enumerate(DELIMITERS if known is None else (known,)):
        widths = [len(fields) for fields in _cut(lines, candidate)]
        width = max(set(widths), key=widths.count, default=0)
        if width < 2:
            continue
        value = (round(widths.count(width) / len(widths), 2), width, -place)
        if best is None or value > best:
            best, chosen = value, candidate
    if best is None:
        raise DataError(
            f"{label}: no delimiter cuts its lines into two or more fields; name it with "
            "data.delimiter, or the kind of file with data.kind (docs/files.md has a table)"
        )
    if best[0] < _EVEN:
        raise DataError(
            f"{label}: its lines have different numbers of fields; data.kind=adjacency is a user "
            "with their items a line, data.kind=baskets items alone"
        )
    rows = [tuple(fields) for fields in _cut(lines, chosen)]
    has_header = _is_header(rows)
    names = rows[0] if has_header else tuple(str(at + 1) for at in range(len(rows[0])))
    return Form(chosen, has_header, names, tuple(rows[has_header:]))


def roles_of(label: str, form: Form) -> Roles:
    """Which column is which, by names, and where these say nothing by content.

    Without a telling name, times are numbers or dates of the years from 1989, a rating is true or
    false, or has few distinct numbers where there is no header, and what is left is user and item
    in this order.

    Raises
    ------
    DataError
        Fewer than two columns are left for user and item.
    """
    found: dict[str, int] = {}
    if form.has_header:
        for role in ("user", "item", "timestamp", "rating"):
            at = _named(role, form.names, set(found.values()))
            if at is not None:
                found[role] = at
    left = [at for at in range(len(form.names)) if at not in found.values()]
    columns = {at: [row[at] for row in form.rows if len(row) > at] for at in left}
    guessed = []

    def guess(role: str, at: int | None) -> None:
        if role in found or at is None:
            return
        found[role] = at
        left.remove(at)
        guessed.append(role)

    guess("timestamp", next((at for at in left if _are_times(columns[at])), None))
    guess("rating", next((at for at in left if _are_truths(columns[at])), None))
    if not form.has_header:
        spare = left[2:]  # the first two are user and item
        guess("rating", next((at for at in spare if _is_scale(columns[at])), None))
    for role in ("user", "item"):
        ids = [at for at in left if not form.has_header or _may_be_id(form.names[at])]
        guess(role, next(iter(ids or left), None))
    if "user" not in found or "item" not in found:
        raise DataError(
            f"{label}: no two columns for user and item (the columns are: {', '.join(form.names)})"
        )
    keys = {role: form.names[at] if form.has_header else at + 1 for role, at in found.items()}
    return Roles(
        keys["user"],
        keys["item"],
        keys.get("rating"),
        keys.get("timestamp"),
        tuple(guessed),
    )


def scale_of(rating: np.ndarray) -> tuple[Feedback, list[float] | None, float | None]:
    """(kind, scale, relevance threshold) of a column's numbers.

    Ratings: the scale is the lowest and the highest of them, and relevant is the lowest rating
    that is not below their mean. Clicks and counts have neither.
    """
    kind = feedback_of(rating)
    if kind == "ratings" and _counts_with_returns(rating):
        kind = "counts"
    if kind != "ratings":
        return kind, None, None
    levels = np.unique(rating)
    threshold = levels[np.searchsorted(levels, rating.mean(dtype=np.float64))]
    return kind, [float(levels[0]), float(levels[-1])], float(threshold)


def _counts_with_returns(rating: np.ndarray) -> bool:
    above = rating[rating > 0]
    return bool(rating.min() < 0) and feedback_of(above) == "counts"


def _cut(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    if len(delimiter) > 1:
        return [line.split(delimiter) for line in lines]
    return list(csv.reader(lines, delimiter=delimiter))


def _is_header(rows: Sequence[tuple[str, ...]]) -> bool:
    first, rest = rows[0], rows[1:]
    if any(_is_number(field) or _TIME.fullmatch(field) for field in first):
        return False
    if sum(_named(role, first, set()) is not None for role in NAMES) >= 2:
        return True
    return any(_is_number(field) or _TIME.fullmatch(field) for row in rest for field in row)


def _named(role: str, names: Sequence[str], taken: set[int]) -> int | None:
    """The column whose name begins with the role's most telling word, or else ends with it.

    An id is not looked for in what ends as a rating's or a time's name does, such as Book-Rating.
    """
    plain = [re.sub(r"[^a-z]", "", name.partition(":")[0].lower()) for name in names]
    other = () if role in _NUMBERS else tuple(word for each in _NUMBERS for word in NAMES[each])
    free = [at for at in range(len(plain)) if at not in taken and not plain[at].endswith(other)]
    for test in (str.startswith, str.endswith):
        for word in NAMES[role]:
            found = next((at for at in free if test(plain[at], word)), None)
            if found is not None:
                return found
    return None


def _may_be_id(name: str) -> bool:
    return re.search(r"id$|code$|key$|no$|number$|^id", name.strip().lower()) is not None


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _are_times(values: Sequence[str]) -> bool:
    if not values:
        return False
    if all(_TIME.fullmatch(value) for value in values):
        return True
    if not all(map(_is_number, values)):
        return False
    low, high = _EPOCH
    return any(
        all(low <= float(value) / unit <= high for value in values) for unit in (1, 1e3, 1e6, 1e9)
    )


def _are_truths(values: Sequence[str]) -> bool:
    return {value.lower() for value in values} == {"true", "false"}


def decimal_of(values: Sequence[str]) -> str:
    """The decimal mark of a column: a comma where numbers have one and none has a point."""
    return "," if any(map(_COMMA.fullmatch, values)) and "." not in "".join(values) else "."


def time_form_of(values: Sequence[str]) -> str:
    """The one format of a column of times that ``auto`` does not guess; otherwise ``auto``."""
    times = pl.Series([value or None for value in values], dtype=pl.String)
    try:
        parse_timestamps(times, "auto")
    except FormError:
        forms = fitting(times)
        if len(forms) == 1:
            return forms[0]
    return "auto"


def _is_scale(values: Sequence[str]) -> bool:
    return bool(values) and all(map(_is_number, values)) and len(set(values)) <= _FEW
