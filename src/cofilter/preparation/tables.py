"""The border between pandas, which public functions take and give, and polars inside."""

from __future__ import annotations

import pandas as pd
import polars as pl

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError
from cofilter.core.weights import weights_of

ROW = "row"  # a row's position in the table that came in, from 0


def to_polars(ratings: pd.DataFrame) -> pl.DataFrame:
    """The columns row, user_id, item_id, rating and, where they are there, timestamp and weight.

    ``row`` is the position from 0. Integer ids become int64, string ids stay strings. Results
    are handed back as row positions, so that the caller's table keeps its own column types.

    Raises
    ------
    DataError
        A column or a value is missing, or has the wrong type.
    """
    missing = [name for name in (USER, ITEM, RATING) if name not in ratings.columns]
    if missing:
        raise DataError(
            f"ratings have no column {', '.join(missing)}; the columns are "
            f"{', '.join(map(str, ratings.columns))}"
        )
    names = [USER, ITEM, RATING] + [TIMESTAMP] * (TIMESTAMP in ratings.columns)
    for name in names:
        _refuse_missing(ratings[name])
    _refuse_wrong_numbers(ratings)
    ids = [_id_column(ratings[name]) for name in (USER, ITEM)]
    numbers = [pl.Series(name, ratings[name].to_numpy()) for name in names[2:]]
    weight = weights_of(ratings)
    if weight is not None:
        numbers.append(pl.Series(WEIGHT, weight))
    return pl.DataFrame([*ids, *numbers]).with_row_index(ROW)


def with_id_numbers(table: pl.DataFrame) -> pl.DataFrame:
    """String ids replaced by their places among the sorted distinct ids; integers stay.

    Numbers are several times faster to group by, and ties by id fall as they would with strings.
    """
    texts = [name for name in (USER, ITEM) if table.schema[name] == pl.String]
    return table.with_columns(
        table[name].cast(pl.Enum(table[name].unique().sort())).to_physical() for name in texts
    )


def pair_keys(table: pl.DataFrame) -> pl.Series:
    """uint64[n], equal exactly where rows of this table have the same user and item.

    One 64-bit key is several times faster to group by than two columns.
    """
    user, item = (_codes(table[name]) for name in (USER, ITEM))
    return user * 2**32 + item


def _codes(ids: pl.Series) -> pl.Series:
    """Ids as numbers below 2³², which no table has more rows than, in uint64."""
    if ids.dtype == pl.String:
        return ids.cast(pl.Categorical).to_physical().cast(pl.UInt64)
    low, high = ids.min(), ids.max()
    if isinstance(low, int) and isinstance(high, int) and high - low >= 2**32:
        return ids.rank("dense").cast(pl.UInt64)
    return (ids - low).cast(pl.UInt64)


def _refuse_missing(column: pd.Series) -> None:
    absent = column.isna().to_numpy()
    if absent.any():
        raise DataError(
            f"column {column.name}, row {int(absent.argmax()) + 1} (counted from 1): "
            "the value is missing"
        )


def _refuse_wrong_numbers(ratings: pd.DataFrame) -> None:
    if not pd.api.types.is_numeric_dtype(ratings[RATING].dtype):
        raise DataError(f"column {RATING}: numbers are expected, got {ratings[RATING].dtype}")
    if TIMESTAMP in ratings.columns and ratings[TIMESTAMP].dtype.kind not in "iu":
        raise DataError(
            f"column {TIMESTAMP}: integer seconds are expected, got {ratings[TIMESTAMP].dtype}"
        )


def _id_column(column: pd.Series) -> pl.Series:
    if pd.api.types.is_integer_dtype(column.dtype):
        return pl.Series(str(column.name), column.to_numpy(), dtype=pl.Int64)
    if column.empty or pd.api.types.infer_dtype(column, skipna=False) == "string":
        return pl.from_pandas(column.reset_index(drop=True)).cast(pl.String)
    raise DataError(
        f"column {column.name}: ids must be integers or strings, got {column.dtype} "
        f"such as {column.iloc[0]!r}"
    )
