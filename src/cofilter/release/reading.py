"""New ratings from a file: in the project's own columns, or as the model's source is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import CofilterError, DataError
from cofilter.core.matrix import IdMap
from cofilter.recommender.base import Recommender
from cofilter.release.limits import rating_limits, why_not
from cofilter.release.needs import needed

_NUMBERS = {RATING: "a number", TIMESTAMP: "seconds since 1970", WEIGHT: "a number"}
_COLUMNS = ("user", "item", "rating", "timestamp", "weight")
_HEAD = 1 << 16  # bytes of a file that are looked at for its header

Form = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """How new rows are written.

    Attributes
    ----------
    form:
        As the model's card says it of its source (``data.form``); None: it does not.
    named:
        Whether the form was given by hand, so that nothing else is tried.
    """

    form: Form | None = None
    named: bool = False

    @classmethod
    def by_columns(cls, text: str, delimiter: str = ",") -> Written:
        """A table whose columns are named, such as ``user=customer,item=product``.

        Positions, counted from 1, are of a file without a header.

        Raises
        ------
        DataError
            The text is no list of columns, or user or item is not among them.
        """
        return cls(_form_of_columns(text, delimiter), named=True)


def read_new_ratings(
    path: Path, model: Recommender, written: Written | None = None
) -> pd.DataFrame:
    """Read rows that came after a model was fitted, one a pair, in order of time.

    A file whose header has user_id and item_id, CSV or Parquet, is in the project's own columns:
    perhaps rating (without it each row counts as the scale's highest), timestamp (seconds) and
    weight; others are ignored. Any other is read as ``written``, in whatever form the sources
    have: text, JSON lines, Parquet, a spreadsheet, packed. Of a pair that occurs again the latest
    row stays, without times the last one.

    Raises
    ------
    DataError
        The file is missing or unreadable, a column is missing, or a value is of another kind; the
        line names the file, the line and what is expected.
    MissingDependencyError
        A form other than the project's own needs polars.
    """
    form, named = (None, False) if written is None else (written.form, written.named)
    if form is None or (not named and _has_own_columns(path) and not _is_own(form)):
        found = _in_own_columns(path, model)
    else:
        found = _in_form(path, model, form)
    if TIMESTAMP in found:
        found = found.sort_values(TIMESTAMP, kind="stable")
    return found.drop_duplicates([USER, ITEM], keep="last").reset_index(drop=True)


def _form_of_columns(text: str, delimiter: str) -> Form:
    needed("polars", "--columns", "pipeline")
    from cofilter.sources.again import PLAIN

    pairs = [each.partition("=") for each in text.split(",")]
    wrong = [key for key, equals, name in pairs if key not in _COLUMNS or not equals or not name]
    named = {key: name for key, _, name in pairs}
    if wrong or not {"user", "item"} <= named.keys() or len(named) < len(pairs):
        raise DataError(
            f"--columns {text}: user=NAME,item=NAME and perhaps rating, timestamp and weight are "
            "expected, each once, with names of the header or positions from 1"
        )
    header = not all(name.isdecimal() for name in named.values())
    columns = {key: name if header else int(name) for key, name in named.items()}
    nothing = dict.fromkeys(_COLUMNS)
    return PLAIN | {"delimiter": delimiter, "has_header": header, "columns": nothing | columns}


def _is_own(form: Form) -> bool:
    """Whether a source's own names are the project's, so that a header alone tells nothing."""
    columns = form["columns"] or {}
    return columns.get("user") == USER and columns.get("item") == ITEM


def _has_own_columns(path: Path) -> bool:
    if path.suffix == ".parquet":
        names = set(_table(path).columns)
    else:
        try:
            with path.open("rb") as source:
                head = source.read(_HEAD)
        except FileNotFoundError:
            raise DataError(f"{path}: file not found") from None
        except OSError as error:
            raise DataError(f"{path}: not readable ({error.strerror})") from None
        first = head.decode("utf-8-sig", "replace").partition("\n")[0]
        names = {each.strip().strip('"') for each in first.split(",")}
    return {USER, ITEM} <= names


def _in_form(path: Path, model: Recommender, form: Form) -> pd.DataFrame:
    needed("polars", "a file as the model's source is written", "pipeline")
    from cofilter.sources.again import read_again

    if not path.exists():
        raise DataError(f"{path}: file not found")
    whole = {USER: _is_whole(model.users_), ITEM: _is_whole(model.items_)}
    try:
        return read_again(path, form, rating_limits(model), whole).to_pandas()
    except CofilterError as error:
        raise DataError(
            f"{error}. --columns says which columns are which, if they are not the source's"
        ) from None


def _in_own_columns(path: Path, model: Recommender) -> pd.DataFrame:
    table = _table(path)
    missing = [name for name in (USER, ITEM) if name not in table.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}; "
            "--columns says which are which"
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
    return found


def _is_whole(ids: IdMap) -> bool:
    return bool(ids.ids.dtype.kind == "i")


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
    if _is_whole(ids):
        return _converted(column, _int64, "a whole number", path).astype("int64")
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


def _int64(value: Any) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError("beyond 64 bits")
    return number


def _refuse_off_scale(table: pd.DataFrame, model: Recommender, path: Path) -> None:
    """A rating that no user of the data could have given is a mistake, not an opinion."""
    limits = rating_limits(model) or (-np.finfo(np.float32).max, np.finfo(np.float32).max)
    off = ~table[RATING].between(*limits)
    if off.any():
        at = int(off.to_numpy().argmax())
        value = float(table[RATING].iloc[at])
        raise DataError(f"{path}, line {at + 2}: rating {value:g}; {why_not(model, value)}")
