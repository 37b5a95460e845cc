"""Titles and genres of a model's items: how people name what a model knows by its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from cofilter.core.columns import GENRES, ITEM, TITLE
from cofilter.core.errors import DataError
from cofilter.core.io import read_json, write_json
from cofilter.core.matrix import UNKNOWN, IdMap

LIKENESS = 60  # of 100: below it a title is not what somebody meant


class Catalogue:
    """Titles and genres of items, "" where there is none, in the order of a model's item map."""

    def __init__(self, items: IdMap, titles: Sequence[str], genres: Sequence[str]) -> None:
        if not len(items) == len(titles) == len(genres):
            raise DataError(
                f"{len(titles)} titles and {len(genres)} genres are given for {len(items)} items"
            )
        self.items, self.titles, self.genres = items, list(titles), list(genres)

    @classmethod
    def of(cls, items: IdMap, table: Mapping[str, Sequence[Any]] | None) -> Catalogue:
        """From columns item_id and perhaps title and genres; None: nothing is known.

        A value that is missing is None or not a number.
        """
        titles, genres = [""] * len(items), [""] * len(items)
        if table is not None and len(table[ITEM]) and len(items):
            at = items.index(table[ITEM]).tolist()
            for name, texts in ((TITLE, titles), (GENRES, genres)):
                if name in table:
                    for place, value in zip(at, table[name], strict=True):
                        if place != UNKNOWN and not _missing(value):
                            texts[place] = str(value)
        return cls(items, titles, genres)

    @classmethod
    def read(cls, path: Path, items: IdMap) -> Catalogue:
        """What `write` wrote beside a model with these items."""
        values = read_json(path)
        found = values if isinstance(values, dict) else {}
        titles, genres = found.get(TITLE), found.get(GENRES)
        if not (_are_texts(titles) and _are_texts(genres)):
            raise DataError(f"{path}: holds no titles and genres")
        return cls(items, titles, genres)

    def write(self, path: Path) -> None:
        """As JSON: two lists, in the order of the model's item map."""
        write_json(path, {TITLE: self.titles, GENRES: self.genres})

    @property
    def has_titles(self) -> bool:
        """Whether any item has one."""
        return any(self.titles)

    @property
    def has_genres(self) -> bool:
        """Whether any item has some."""
        return any(self.genres)

    def title(self, item: int | str) -> str:
        """Of an item; its id where it has none or is not known."""
        return self._text(self.titles, item) or str(item)

    def genres_of(self, item: int | str) -> list[str]:
        """Of an item."""
        return _split(self._text(self.genres, item))

    def genres_by_item(self) -> dict[int | str, str]:
        """Text such as "Comedy|Drama" by item id, of the items that have some."""
        texts = zip(self.items.ids.tolist(), self.genres, strict=True)
        return {item: genres for item, genres in texts if genres}

    def described(self, item: int | str) -> dict[str, Any]:
        """An item as JSON: item, title, genres."""
        return {"item": item, "title": self.title(item), "genres": self.genres_of(item)}

    def at(self, index: np.ndarray) -> list[dict[str, Any]]:
        """As `described`, of items by their dense indices."""
        return [
            {"item": item, "title": self.titles[at] or str(item), "genres": _split(self.genres[at])}
            for at, item in zip(index.tolist(), self.items.ids[index].tolist(), strict=True)
        ]

    def search(self, text: str, n: int = 10) -> list[int | str]:
        """Items whose title holds or resembles a text, best first; those whose id it is come first.

        A title that holds the text as it stands is before one that resembles it; capitals,
        punctuation and typing errors do not matter (RapidFuzz's weighted ratio, at least
        `LIKENESS`). Without titles, ids that begin with the text.
        """
        from rapidfuzz import fuzz, process, utils

        wanted = utils.default_process(text)
        exact = [item for item in (self.as_id(text),) if item is not None]
        if not wanted:
            return exact[:n]
        if not self.has_titles:
            begun = [item for item in self.items.ids.tolist() if str(item).startswith(text)]
            return list(dict.fromkeys(exact + begun))[:n]
        holding = [at for at, title in enumerate(self._processed) if title and wanted in title]
        holding.sort(key=lambda at: (len(self._processed[at]), at))
        alike = process.extract(
            wanted, self._processed, scorer=fuzz.WRatio, limit=n, score_cutoff=LIKENESS
        )
        places = dict.fromkeys(holding + [at for _, _, at in alike if self._processed[at]])
        return list(dict.fromkeys(exact + [self.items.ids[at].item() for at in places]))[:n]

    def as_id(self, text: str) -> int | str | None:
        """The item whose id a text is; None when there is none."""
        return known_id(self.items, text)

    def named(self, text: str) -> int | str | None:
        """The item whose id a text is, or whose title alone is just this; None when there is none.

        Capitals do not matter in a title.
        """
        item = self.as_id(text)
        if item is not None:
            return item
        wanted = text.casefold()
        places = [at for at, title in enumerate(self.titles) if title.casefold() == wanted]
        return self.items.ids[places[0]].item() if wanted and len(places) == 1 else None

    @cached_property
    def _processed(self) -> list[str]:
        from rapidfuzz import utils

        return [utils.default_process(title) for title in self.titles]

    def _text(self, texts: Sequence[str], item: int | str) -> str:
        at = self.items.index(item)[0]
        return "" if at == UNKNOWN else texts[at]


def _missing(value: object) -> bool:
    return value is None or value != value


def _split(genres: str) -> list[str]:
    return [genre for genre in genres.split("|") if genre]


def _are_texts(values: Any) -> TypeGuard[list[str]]:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def known_id(ids: IdMap, text: str) -> int | str | None:
    """The id of a map that a text spells, of the map's kind; None when it holds no such id."""
    value = typed_id(ids, text)
    if value is None or ids.index(value)[0] == UNKNOWN:
        return None
    return value


def typed_id(ids: IdMap, text: str) -> int | str | None:
    """A text as an id of the map's kind; None for what is no whole number where ids are numbers."""
    if ids.ids.dtype.kind != "i":
        return text
    try:
        value = int(text)
    except ValueError:
        return None
    return value if -(2**63) <= value < 2**63 else None
