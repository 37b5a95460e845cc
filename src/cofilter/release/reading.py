"""New ratings from a file, in the project's own columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError
from cofilter.core.matrix import IdMap
from cofilter.recommender.base import Recommender
from cofilter.release.limits import rating_limits

_NUMBERS = {RATING: "a number", TIMESTAMP: "seconds since 1970", WEIGHT: "a number"}


def read_new_ratings(path: Path, model: Recommender) -> pd.DataFrame:
    """Read rows that came after a model was fitted, one a pair, in order of time.

    CSV with a header, or Parquet: columns user_id, item_id, perhaps rating (without it each row
    counts as the scale's highest), timestamp (seconds) and weight; others are ignored. Of a pair
    that occurs again the latest row stays, without times the last one. Other forms of files are
    what ``make own`` is for.

    Raises
    ------
    DataError
        The file is missing or unreadable, a column is missing, or a value is of another kind; the
        line names the file, the line and what is expected.
    """
    table = _table(path)
    missing = [name for name in (USER, ITEM) if name not in table.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}"
        )
    if table.empty:
        raise DataError(f"{path}: no rows")
    found = pd.DataFrame(
        {
            USER: _ids(table[USER], model.users_, path),
            ITEM: _ids(table[ITEM], model.items_, path),
            RATING: model.scale_[1],
        }
    )
    for name in _NUMBERS:
        if name in table.columns:
            found[name] = _numbers(table[name], name, path)
    _refuse_off_scale(found, model, path)
    if TIMESTAMP in found:
        found = found.sort_values(TIMESTAMP, kind="stable")
    return found.drop_duplicates([USER, ITEM], keep="last").reset_index(drop=True)


def _table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: file not found") from None
    except (ValueError, OSError, UnicodeDecodeError) as error:
        first = str(error).partition("\n")[0]
        raise DataError(f"{path}: not readable ({first})") from None


def _ids(column: pd.Series, ids: IdMap, path: Path) -> pd.Series:
    """As the model's ids are: whole numbers, or texts."""
    if ids.ids.dtype.kind == "i":
        return _converted(column, int, "a whole number", path).astype("int64")
    return column.astype(str)


def _numbers(column: pd.Series, name: str, path: Path) -> pd.Series:
    numbers = _converted(column, float, _NUMBERS[name], path)
    return numbers.astype("int64") if name == TIMESTAMP else numbers


def _converted(
    column: pd.Series, convert: Callable[[Any], Any], expected: str, path: Path
) -> pd.Series:
    try:
        return column.map(convert)
    except (TypeError, ValueError):
        for line, value in enumerate(column, 2):
            try:
                convert(value)
            except (TypeError, ValueError):
                raise DataError(
                    f"{path}, line {line}: {column.name} {value!r}, {expected} is expected"
                ) from None
        raise


def _refuse_off_scale(table: pd.DataFrame, model: Recommender, path: Path) -> None:
    """A rating that no user of the data could have given is a mistake, not an opinion."""
    limits = rating_limits(model)
    if limits is None:
        return
    low, high = limits
    off = ~table[RATING].between(low, high)
    if off.any():
        at = int(off.to_numpy().argmax())
        raise DataError(
            f"{path}, line {at + 2}: rating {table[RATING].iloc[at]:g}, the model's scale is "
            f"{low:g} to {high:g}"
        )
