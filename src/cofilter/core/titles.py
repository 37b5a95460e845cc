"""Titles and genres of items."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cofilter.core.columns import GENRES, ITEM, TITLE
from cofilter.core.io import read_table
from cofilter.core.paths import ITEMS

if TYPE_CHECKING:
    import pandas as pd


def read_titles(path: Path = ITEMS) -> pd.Series:
    """Title by item id; empty where there is no table of items."""
    return _read(path, TITLE)


def read_genres(path: Path = ITEMS) -> pd.Series:
    """Genres by item id, separated by "|"; empty where there is no table of items."""
    return _read(path, GENRES)


def _read(path: Path, column: str) -> pd.Series:
    import pandas as pd

    if not path.is_file():
        return pd.Series(dtype=object)
    return read_table(path).set_index(ITEM)[column]
