"""Titles of items."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.core.columns import ITEM, TITLE
from cofilter.core.io import read_table
from cofilter.core.paths import ITEMS


def read_titles(path: Path = ITEMS) -> pd.Series:
    """Title by item id; empty where there is no table of items."""
    if not path.is_file():
        return pd.Series(dtype=object)
    return read_table(path).set_index(ITEM)[TITLE]
