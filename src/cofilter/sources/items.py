"""One row an item: its title and genres."""

from __future__ import annotations

import polars as pl

from cofilter.core.columns import GENRES, ITEM, TITLE
from cofilter.sources.ids import missing, same_kind
from cofilter.sources.ratings import without_nulls
from cofilter.sources.table import RawTable

NO_TITLES = pl.DataFrame(schema={ITEM: pl.String, TITLE: pl.String, GENRES: pl.String})


def titles(raw: RawTable, null_values: tuple[str, ...] = ()) -> tuple[pl.DataFrame, int]:
    """Columns item_id, title and genres of a titles file, and how many rows without an id it has.

    These are left out.
    """
    whole = without_nulls(raw.frame, null_values)
    frame = whole.filter(~missing(whole[ITEM]))
    if GENRES not in frame.columns:
        frame = frame.with_columns(pl.lit("").alias(GENRES))
    text = [
        pl.col(name).cast(pl.String).fill_null("").str.strip_chars() for name in (TITLE, GENRES)
    ]
    return frame.select(pl.col(ITEM), *text), len(whole) - len(frame)


def join_items(
    label: str, ratings: pl.DataFrame, described: pl.DataFrame, keep_text: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Bring both tables' item ids to one type and give every rated item a row.

    Parameters
    ----------
    ratings:
        With the column item_id.
    described:
        item_id, title, genres as the titles file has them; may be empty.
    keep_text:
        As `same_kind` takes it.

    Returns
    -------
    ratings, items, repeated
        ``items`` has the described items in their file's order, then rated items that are not
        described, in ascending order, with empty title and genres. Of an id that is described
        several times the first row counts; ``repeated`` is the number of rows dropped so.
    """
    if described.is_empty():
        (rated,) = same_kind(label, ratings[ITEM], keep_text=keep_text)
        known = rated.head(0)
    else:
        rated, known = same_kind(label, ratings[ITEM], described[ITEM], keep_text=keep_text)
    described = described.with_columns(known.alias(ITEM))
    items = described.unique(subset=ITEM, keep="first", maintain_order=True)
    rest = rated.unique().sort().rename(ITEM).to_frame().join(items, on=ITEM, how="anti")
    rest = rest.sort(ITEM).with_columns(pl.lit("").alias(TITLE), pl.lit("").alias(GENRES))
    repeated = len(described) - len(items)
    return ratings.with_columns(rated.alias(ITEM)), pl.concat([items, rest]), repeated
