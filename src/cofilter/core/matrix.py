"""Ratings as a sparse matrix with its id maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy import sparse

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import DataError
from cofilter.core.io import arrays_sha256
from cofilter.core.weights import weights_of

if TYPE_CHECKING:
    import pandas as pd

# User or item ids: one, or a sequence of one kind.
Ids: TypeAlias = "int | str | Sequence[int | str] | np.ndarray | pd.Series | pd.Index"

_LARGEST = np.iinfo(np.int64).max
_SHORT = 64  # characters of ids that are held in fixed width, where all take as much as the longest
_CHARACTER = 4  # bytes of one of a fixed width
_FEW = 32  # ids in a list that are looked at one by one, which is faster than all as an array
_SOME = 10_000  # ids that are looked up without a table
UNKNOWN = -1  # dense index of an id that a map does not hold


class IdMap:
    """Ids in ascending order, each once, and their dense indices 0 … n − 1.

    Ids are int64 or str. Numbers come before nothing else: a map holds one kind only. A few ids are
    found by bisection, many by a table of all that is made then.
    """

    def __init__(self, ids: np.ndarray) -> None:
        self.ids = ids

    @classmethod
    def of(cls, values: Ids) -> IdMap:
        """The sorted distinct ids among ``values``."""
        return cls(np.unique(as_ids(values)))

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, value: int | str) -> int:
        """Dense index of one id of the map's kind, in microseconds; `UNKNOWN` without it."""
        ids = self.ids
        if not len(ids):
            return UNKNOWN
        if not _fits(value):
            return UNKNOWN
        longest = ids.dtype.itemsize // _CHARACTER
        if ids.dtype.kind == "U" and len(str(value)) > longest:
            return UNKNOWN  # NumPy would widen all ids to compare them with it
        at = int(ids.searchsorted(value))
        return at if at < len(ids) and ids[at] == value else UNKNOWN

    def joined(self, values: Ids) -> IdMap:
        """A map that holds these ids too; raises `DataError` when they are of another kind."""
        further = as_ids(values)
        self.index(further)
        both = [ids for ids in (self.ids, further) if len(ids)]
        return IdMap.of(np.concatenate(both)) if both else self

    def index(self, values: Ids) -> np.ndarray:
        """Dense indices (int32) of ids; `UNKNOWN` where the map does not hold the id."""
        few: list[Any] = values if isinstance(values, list) else [values]
        kind = int if self.ids.dtype.kind == "i" else str
        if len(few) <= _FEW and all(type(each) is kind and _fits(each) for each in few):
            return np.array([self.place(each) for each in few], np.int32)
        wanted = as_ids(values)
        if _kind(wanted) != _kind(self.ids) and len(wanted) and len(self.ids):
            raise DataError(
                f"ids {wanted[:3].tolist()} are {_kind(wanted)}, but this data's ids are "
                f"{_kind(self.ids)} (such as {self.ids[:3].tolist()})"
            )
        if len(wanted) > _SOME:
            import pandas as pd

            return self._table.get_indexer(pd.Index(wanted)).astype(np.int32)
        if not (len(wanted) and len(self.ids)):
            return np.full(len(wanted), UNKNOWN, np.int32)
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[at] == wanted, at, UNKNOWN).astype(np.int32)

    @cached_property
    def _table(self) -> pd.Index:
        import pandas as pd

        return pd.Index(self.ids)


def _fits(value: int | str) -> bool:
    return isinstance(value, str) or -_LARGEST - 1 <= value <= _LARGEST


def as_ids(values: Ids) -> np.ndarray:
    """Ids as a NumPy array of int64 or of strings.

    Strings are of fixed width, and ``object`` where one has more than 64 characters, since each
    would take as much memory as the longest. A single id counts as one of one. Raises `DataError`
    when they are neither integers that int64 holds nor strings, or of both kinds.
    """
    if isinstance(values, list | tuple) and values and isinstance(values[0], str):
        values = np.array(values, object)
    elif isinstance(values, str):
        values = np.array([values], object)
    array = np.atleast_1d(np.asarray(values))
    if array.ndim > 1:
        raise DataError(f"ids must be one or a sequence, got an array of shape {array.shape}")
    if array.dtype.kind == "i" or (array.dtype.kind == "u" and array.max(initial=0) <= _LARGEST):
        return array.astype(np.int64, copy=False)
    if array.size == 0 and array.dtype.kind in "fO":
        return array.astype(np.int64)
    if array.dtype.kind == "U" and _all_strings(values):
        return array if array.dtype.itemsize <= 4 * _SHORT else _strings(array.astype(object))
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):
        return _strings(array)
    raise DataError(f"ids must be integers or strings, got {array.dtype}: {array[:3].tolist()}")


def _strings(array: np.ndarray) -> np.ndarray:
    """Strings in fixed width where all are short."""
    longest = max(map(len, array.flat), default=0)
    return array.astype(np.str_) if longest <= _SHORT else array.astype(object)


def _all_strings(values: Ids) -> bool:
    """Whether NumPy made no string of a number to have one kind."""
    return not isinstance(values, list | tuple) or all(isinstance(each, str) for each in values)


def _kind(ids: np.ndarray) -> str:
    return "integers" if ids.dtype.kind == "i" else "strings"


@dataclass(frozen=True)
class Interactions:
    """Observed (user, item, rating) triples with dense indices.

    Attributes
    ----------
    users, items:
        Id maps; every id in them occurs in at least one row.
    user, item:
        int32[n], dense indices of each row.
    rating:
        float32[n].
    timestamp:
        int64[n] seconds, or None when the source has no times.
    weight:
        float32[n] ≥ 0, how much each row counts; None where all count alike.
    """

    users: IdMap
    items: IdMap
    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray
    timestamp: np.ndarray | None = None
    weight: np.ndarray | None = None

    @classmethod
    def of(cls, table: pd.DataFrame | Interactions) -> Interactions:
        """From a table with the columns user_id, item_id, rating, perhaps timestamp and weight."""
        if isinstance(table, Interactions):
            return table
        missing = [name for name in (USER, ITEM, RATING) if name not in table.columns]
        if missing:
            raise DataError(f"ratings table has no column {', '.join(missing)}")
        users, items = IdMap.of(table[USER]), IdMap.of(table[ITEM])
        times = table[TIMESTAMP].to_numpy(np.int64) if TIMESTAMP in table.columns else None
        return cls(
            users,
            items,
            users.index(table[USER]),
            items.index(table[ITEM]),
            _numbers(table[RATING]),
            times,
            weights_of(table),
        )

    def __len__(self) -> int:
        return len(self.rating)

    @property
    def shape(self) -> tuple[int, int]:
        """(number of users, number of items)."""
        return len(self.users), len(self.items)

    @cached_property
    def by_user(self) -> sparse.csr_array:
        """float32[users, items] in CSR form, item indices ascending in each row."""
        return to_csr(self.user, self.item, self.rating, self.shape)

    @cached_property
    def by_item(self) -> sparse.csr_array:
        """float32[items, users] in CSR form, user indices ascending in each row."""
        return to_csr(self.item, self.user, self.rating, self.shape[::-1])

    @cached_property
    def weight_by_user(self) -> np.ndarray:
        """float32, the weight of each stored entry of ``by_user``; one 1 where all count alike."""
        return self._weights(self.user, self.item, self.shape)

    @cached_property
    def weight_by_item(self) -> np.ndarray:
        """float32, the weight of each stored entry of ``by_item``; one 1 where all count alike."""
        return self._weights(self.item, self.user, self.shape[::-1])

    def _weights(self, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        if self.weight is None:
            return np.ones(1, np.float32)
        return to_csr(row, column, self.weight, shape).data

    @cached_property
    def sha256(self) -> str:
        """Hash of ids, indices, ratings and, where there are some, weights, row order included.

        Times are left out, so that equal ratings give equal models whatever their times say. The
        one model that reads times, recent popularity, is fitted in one go: it has no checkpoint
        that this hash would have to find.
        """
        arrays = {
            "users": self.users.ids,
            "items": self.items.ids,
            "user": self.user,
            "item": self.item,
            "rating": self.rating,
        }
        if self.weight is not None:
            arrays["weight"] = self.weight
        return arrays_sha256(arrays)


def _numbers(ratings: pd.Series) -> np.ndarray:
    try:
        return ratings.to_numpy(np.float32)
    except (TypeError, ValueError):
        raise DataError(f"{RATING}s must be numbers, got {ratings.dtype}") from None


def to_csr(
    row: np.ndarray, column: np.ndarray, value: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_array:
    """CSR matrix with sorted indices; stored zeros stay, since 0 is a rating like any other.

    Raises `DataError` when a (row, column) pair occurs twice: summing them would be silent.
    """
    matrix = sparse.coo_array((value, (row, column)), shape=shape).tocsr()
    if matrix.nnz != len(value):
        raise DataError(f"{len(value) - matrix.nnz} duplicate (user, item) pairs in the ratings")
    matrix.sort_indices()
    return matrix


def transposed(matrix: sparse.csr_array) -> sparse.csr_array:
    """The transpose in CSR form, indices ascending in each row; stored zeros stay."""
    result = matrix.T.tocsr()
    result.sort_indices()
    return result


def row_of(matrix: sparse.csr_array) -> np.ndarray:
    """The row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def row_means(matrix: sparse.csr_array) -> np.ndarray:
    """Mean of each row's stored entries, float64; 0 for a row without any."""
    total = np.bincount(row_of(matrix), matrix.data, matrix.shape[0])
    return total / np.maximum(np.diff(matrix.indptr), 1)
