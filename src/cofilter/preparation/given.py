"""The parts of a published split, as its files give them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl

from cofilter.core.columns import PART, TIMESTAMP, USER
from cofilter.core.errors import ConfigError, DataError, LeakError
from cofilter.core.parts import PARTS
from cofilter.preparation.instants import moment
from cofilter.preparation.order import FIRST, GLOBAL, LAST, NONE, PER_USER, by_user, is_global

TRAIN, VALIDATION, TEST = range(3)
SAY_IT = (
    "with data=csv name its column in data.columns.part, or let data.path be a folder of train.*, "
    "test.* and perhaps validation.*"
)

# Where the validation part is from: its own rows of the source, or a slice of the source's train.
Origin = Literal["published", "last of train", "random of train"]


def given_parts(ratings: pd.DataFrame) -> np.ndarray:
    """int8[n], index into `PARTS`: what the column ``part`` says.

    Raises
    ------
    ConfigError
        There is no such column.
    DataError
        It holds another name, or train or test has no row.
    """
    if PART not in ratings.columns:
        raise ConfigError(
            f"split.kind: given needs the part of each row, and these ratings lack it; {SAY_IT}"
        )
    part = pd.Index(PARTS).get_indexer(pd.Index(ratings[PART])).astype(np.int8)
    if (part < 0).any():
        row = int((part < 0).argmax())
        raise DataError(
            f"column {PART}, row {row + 1} (counted from 1): {ratings[PART].iloc[row]!r} is not "
            f"allowed; {', '.join(PARTS)} are"
        )
    empty = [PARTS[code] for code in (TRAIN, TEST) if not (part == code).any()]
    if empty:
        raise DataError(
            f"split.kind: given, but no rating of {len(part)} is in {' or in '.join(empty)}: the "
            "source has none, or the filter has dropped them (data/source.json says which)"
        )
    return part


def take_validation(
    table: pl.DataFrame, part: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, Origin]:
    """The parts with a slice of train as validation, where the source gives none.

    Of n train rows and count = ⌊share·n + ½⌋: with times the last ones, from the time of the row
    that stands count from the end on (so that rows of that time all go to validation); without
    times count random rows.

    Raises `DataError` when the last rows of train are all of it, since all have one time.
    """
    if (part == VALIDATION).any():
        return part, "published"
    rows = np.flatnonzero(part == TRAIN)
    count = int(np.floor(len(rows) * share + 0.5))
    timed = TIMESTAMP in table.columns
    origin: Origin = "last of train" if timed else "random of train"
    if count == 0:
        return part, origin
    if timed:
        chosen = rows[_is_last(table[TIMESTAMP].to_numpy()[rows], count)]
    else:
        chosen = np.random.default_rng(seed).permutation(rows)[:count]
    part = part.copy()
    part[chosen] = VALIDATION
    return part, origin


def _is_last(times: np.ndarray, count: int) -> np.ndarray:
    begins = int(np.partition(times, len(times) - count)[len(times) - count])
    last = times >= begins
    if last.all():
        raise DataError(
            f"split.kind: given without validation takes the last of train for it, from "
            f"{moment(begins)} on, and those are all {len(times)} rows; take a smaller "
            "split.validation_share, or data.columns.timestamp=null for a random slice"
        )
    return last


def leaks(tables: Mapping[str, pl.DataFrame], origin: str) -> tuple[str, dict[str, Any]]:
    """What a published split, which promises nothing, leaks in time, as its parts show it.

    Returns
    -------
    order:
        ``global`` when every row of a part is before every row of the later parts; ``per user``
        when the rows of each user are, and train and test share a user; otherwise, and without
        times, ``none``.
    facts:
        ``validation``: where that part is from; ``users_in_both``: for each two parts, how many
        users have rows in both; ``users_out_of_order``: how many of these have a row in the earlier
        one that is later than one in the later one (null without times).

    Raises
    ------
    LeakError
        Validation is said to be the last of train, and a train row is not before it.
    """
    timed = all(TIMESTAMP in table.columns for table in tables.values())
    if origin == "last of train":
        _prove_last(tables, timed)
    if not timed:
        tables = {
            name: table.with_columns(pl.lit(0).alias(TIMESTAMP)) for name, table in tables.items()
        }
    users = {name: by_user(table) for name, table in tables.items()}
    both, wrong = {}, {}
    for earlier, later in combinations(PARTS, 2):
        shared = users[earlier].join(users[later], on=USER, suffix="_later")
        name = f"{earlier} and {later}"
        both[name] = shared.height
        wrong[name] = shared.filter(pl.col(LAST) > pl.col(f"{FIRST}_later")).height
    order = NONE
    if timed and is_global(users):
        order = GLOBAL
    elif timed and both["train and test"] and not any(wrong.values()):
        order = PER_USER
    facts = {"validation": origin, "users_in_both": both}
    return order, facts | {"users_out_of_order": wrong if timed else None}


def _prove_last(tables: Mapping[str, pl.DataFrame], timed: bool) -> None:
    if not timed:
        raise LeakError("validation is said to be the last of train, but there are no times")
    last, first = tables["train"][TIMESTAMP].max(), tables["validation"][TIMESTAMP].min()
    if isinstance(last, int) and isinstance(first, int) and last >= first:
        raise LeakError(
            f"validation is said to be the last of train and begins at {moment(first)}, but train "
            f"holds a row at {moment(last)}"
        )
