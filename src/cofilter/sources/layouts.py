"""How GroupLens and RecBole write MovieLens: the names and forms of its files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from cofilter.core.columns import GENRES, ITEM, RATING, TIMESTAMP, TITLE, USER
from cofilter.core.errors import DataError
from cofilter.sources.delimited import TextFormat
from cofilter.sources.encoding import as_utf8

_U_ITEM_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
_POSITIONS = {USER: 1, ITEM: 2, RATING: 3, TIMESTAMP: 4}
_NAMES = {USER: "userId", ITEM: "movieId", RATING: "rating", TIMESTAMP: "timestamp"}
_ATOMIC = {
    USER: "user_id:token",
    ITEM: "item_id:token",
    RATING: "rating:float",
    TIMESTAMP: "timestamp:float",
}

Title = tuple[str, str, str]  # id, title, genres separated by "|"


@dataclass(frozen=True)
class Layout:
    """One form in which MovieLens is published.

    ``titles`` yields (id, title, genres) from the text of the titles file, and raises ValueError
    with the line and what is wrong with it. ``encoding`` None: the source's ``data.encoding``.
    """

    ratings: str
    items: str
    text: TextFormat
    columns: Mapping[str, str | int]
    timestamp_format: str
    encoding: str | None
    titles: Callable[[str], Iterable[Title]]


def layout_of(ratings: str) -> Layout | None:
    """The layout whose ratings file has that name; None when there is none."""
    return next((layout for layout in LAYOUTS if layout.ratings == ratings), None)


def read_titles(label: str, content: bytes, layout: Layout, encoding: str | None) -> pl.DataFrame:
    """Columns item_id, title, genres (strings) of a titles file.

    Raises `DataError` for a line that does not have the layout's form.
    """
    text = as_utf8(label, content, layout.encoding or encoding or "utf-8").decode()
    try:
        rows = list(layout.titles(text))
    except ValueError as error:
        raise DataError(f"{label}, {error}") from None
    except csv.Error as error:  # a field over 128 KiB, which is no title
        raise DataError(f"{label}: not readable as CSV ({error})") from None
    if not rows:
        raise DataError(f"{label}: the file is empty")
    return pl.DataFrame(
        rows, schema={ITEM: pl.String, TITLE: pl.String, GENRES: pl.String}, orient="row"
    )


def _u_item(text: str) -> Iterator[Title]:
    """ML-100K: id, title with year, two dates, link and 19 flags, separated by ``|``."""
    for line, fields in _split(text, "|", 5 + len(_U_ITEM_GENRES)):
        flags = fields[5:]
        if not set(flags) <= {"0", "1"}:
            raise ValueError(f"line {line}: 19 genre flags of 0 or 1 are expected, not {flags}")
        genres = [name for name, flag in zip(_U_ITEM_GENRES, flags, strict=True) if flag == "1"]
        yield fields[0], _tidy(fields[1]), "|".join(genres)


def _atomic_item(text: str) -> Iterator[Title]:
    """RecBole's copy of ML-100K: id, title, year and genres, separated by tabs."""
    rows = _split(text, "\t", 4)
    _, header = next(rows, (0, []))
    expected = ["item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"]
    if header != expected:
        raise ValueError(f"line 1: the header {expected} is expected, not {header}")
    for _, (item, title, year, genres) in rows:
        if title == "unkonwn":  # misspelt there; GroupLens has "unknown", with no year
            yield item, "unknown", "|".join(genres.split())
        else:
            yield item, _tidy(f"{title} ({year})"), "|".join(genres.split())


def _dat(text: str) -> Iterator[Title]:
    """ML-1M and ML-10M: id, title with year and genres, separated by ``::``."""
    for _, (item, title, genres) in _split(text, "::", 3):
        yield item, title.strip(), _genres(genres)


def _csv(text: str) -> Iterator[Title]:
    """ML-20M and later: movieId, title, genres as CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, [])
    if header[:3] != ["movieId", "title", "genres"]:
        raise ValueError(f"line 1: the header movieId,title,genres is expected, not {header[:8]}")
    for fields in reader:
        if not fields:
            continue
        if len(fields) < 3:
            raise ValueError(f"line {reader.line_num}: 3 fields are expected, not {len(fields)}")
        yield fields[0], fields[1].strip(), _genres(fields[2])


def _split(text: str, delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    for line, row in enumerate(text.split("\n"), start=1):
        row = row.removesuffix("\r")
        if not row:
            continue
        fields = row.split(delimiter)
        if len(fields) != width:
            raise ValueError(
                f'line {line}: {width} fields separated by "{delimiter}" are expected, '
                f"not {len(fields)}"
            )
        yield line, fields


def _tidy(title: str) -> str:
    """One blank between words and before a final "(year)", none at the ends."""
    return re.sub(r" ?(\([^()]*\))$", r" \1", " ".join(title.split())).strip()


def _genres(text: str) -> str:
    text = text.strip()
    return "" if text == "(no genres listed)" else text


LAYOUTS = (
    Layout(
        "u.data",
        "u.item",
        TextFormat("\t", False, quote=None),
        _POSITIONS,
        "epoch",
        "latin-1",
        _u_item,
    ),
    Layout(
        "ml-100k.inter",
        "ml-100k.item",
        TextFormat("\t", True, quote=None),
        _ATOMIC,
        "epoch",
        "utf-8",
        _atomic_item,
    ),
    Layout(
        "ratings.dat",
        "movies.dat",
        TextFormat("::", False, quote=None),
        _POSITIONS,
        "epoch",
        None,
        _dat,
    ),
    Layout("ratings.csv", "movies.csv", TextFormat(",", True), _NAMES, "epoch", None, _csv),
    Layout("rating.csv", "movie.csv", TextFormat(",", True), _NAMES, "text", None, _csv),
)
