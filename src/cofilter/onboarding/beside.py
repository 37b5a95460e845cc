"""A file of titles that lies beside a file of ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cofilter.core.errors import CofilterError
from cofilter.onboarding.proposal import form_of
from cofilter.sources.encoding import as_utf8
from cofilter.sources.files import open_file

STEMS = ("items", "item", "titles", "movies", "films", "products", "books", "articles", "artists")
SUFFIXES = (".csv", ".tsv", ".txt", ".dat")
TITLE, GENRES = ("title", "name"), ("genres",)


def titles_beside(path: str, item: str | int | None, encoding: str, base: Path) -> dict[str, Any]:
    """Keys of ``data.items`` for a text file beside ``path`` that has the column ``item``.

    It is called as things are (movies.csv, items.tsv, …) and has a header with the ratings' own
    name of the item and a title or name. Empty where there is no such file, or one that cannot be
    read: titles are for people, and a person may still name the file.
    """
    folder = base / Path(path).parent
    if not isinstance(item, str) or not folder.is_dir():
        return {}
    for file in sorted(folder.iterdir()):
        if file.stem.lower() in STEMS and file.suffix.lower() in SUFFIXES:
            found = _described(str(Path(path).parent / file.name), item, encoding, base)
            if found:
                return found
    return {}


def _described(given: str, item: str, encoding: str, base: Path) -> dict[str, Any]:
    try:
        text = as_utf8(given, open_file(base / given, given).read(), encoding).decode()
        form = form_of(given, text)
    except CofilterError:
        return {}
    plain = {name.strip().lower(): name for name in form.names}
    title = next((plain[name] for name in TITLE if name in plain), None)
    if not form.has_header or item not in form.names or title is None:
        return {}
    genres = next((plain[name] for name in GENRES if name in plain), None)
    return {
        "path": given,
        "delimiter": form.delimiter,
        "has_header": True,
        "columns": {"item": item, "title": title, "genres": genres},
    }
