"""Train, validation and test: which row goes where."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import polars as pl
from pydantic import Field, NonNegativeInt, model_validator

from cofilter.core.columns import PART, TIMESTAMP, USER
from cofilter.core.config import Config
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.parts import PARTS, Parts
from cofilter.preparation.duplicates import Policy, refuse_repeats, settle_duplicates
from cofilter.preparation.given import TEST, TRAIN, VALIDATION, given_parts, take_validation
from cofilter.preparation.instants import Instants, instants, moment
from cofilter.preparation.tables import to_polars

Kind = Literal[
    "global_temporal",
    "user_temporal",
    "leave_last_out",
    "random",
    "user_random",
    "kfold",
    "user_kfold",
    "given",
]
FOLDED_KINDS = ("kfold", "user_kfold")
TEMPORAL_KINDS = ("global_temporal", "user_temporal", "leave_last_out")
UNORDERED_KINDS = ("random", "user_random", "kfold")  # not given: it has the order of its source


class SplitConfig(Config):
    """Group ``split``.

    Attributes
    ----------
    kind:
        How rows are assigned; see `split_ratings`.
    validation_share, test_share:
        Shares of all rows, or of each user's. ``kfold`` and ``user_kfold`` take
        ``validation_share`` of the rows that are not in the test fold and have no use for
        ``test_share``; ``leave_last_out`` uses neither. ``given`` takes ``validation_share`` of
        train where the source has no validation part. A ``validation_share`` of 0 (an empty
        validation part) is for the random kinds and ``given`` only.
    seed:
        Of the random kinds; of ``given`` for a random slice of train.
    fold, folds:
        ``kfold`` and ``user_kfold`` test on fold ``fold`` (from 0) of ``folds``.
    duplicates:
        What to do with a (user, item) pair that occurs twice in a part: ``error``, ``last``,
        ``mean``, ``max``, ``sum`` or ``count``; see `settle_duplicates`.
    """

    kind: Kind = "global_temporal"
    validation_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: NonNegativeInt = 0
    fold: NonNegativeInt = 0
    folds: Annotated[int, Field(ge=2)] = 5
    duplicates: Policy = "last"

    @model_validator(mode="after")
    def _possible(self) -> SplitConfig:
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                f"validation_share {self.validation_share} and test_share {self.test_share} "
                "leave nothing for train: their sum must be below 1"
            )
        if self.fold >= self.folds:
            raise ValueError(f"fold {self.fold} is not below folds {self.folds}")
        if self.validation_share == 0 and self.temporal_kind:
            raise ValueError(
                f"validation_share 0 is not allowed with kind {self.kind}: only random, "
                "user_random, kfold, user_kfold and given can go without a validation part"
            )
        return self

    @property
    def temporal_kind(self) -> bool:
        """Whether the kind reads timestamps."""
        return self.kind in TEMPORAL_KINDS


def split_instants(
    config: SplitConfig, timestamps: pd.Series | np.ndarray | None
) -> Instants | None:
    """The instants of the raw log's times for ``global_temporal``; None for the other kinds.

    Raises
    ------
    ConfigError
        The kind needs timestamps and there are none.
    DataError
        The cut leaves a part empty.
    """
    if config.temporal_kind and timestamps is None:
        raise _no_timestamps(config)
    if config.kind != "global_temporal" or timestamps is None:
        return None
    return instants(timestamps, config.validation_share, config.test_share)


def split_ratings(
    ratings: pd.DataFrame, config: SplitConfig, instants: Instants | None
) -> tuple[Parts, dict[str, Any]]:
    """Assign every row to train, validation or test, then settle repeated pairs.

    Kinds, for a log of n rows and ``count(s, n) = ⌊s·n + ½⌋``:

    ``global_temporal``
        By the two instants: train < validation instant ≤ validation < test instant ≤ test.
    ``user_temporal``
        Each user's last rows: min(count(test_share), n − 1) of the user's n to test, of those
        before them min(count(validation_share), n − 1 − test) to validation. At least one row of
        every user stays in train.
    ``leave_last_out``
        Each user's last row to test, the one before it to validation; users with fewer than three
        rows stay in train wholly.
    ``random``
        count(test_share) random rows to test, count(validation_share) to validation.
    ``user_random``
        As ``user_temporal``, the user's rows being in random order.
    ``kfold``
        A random permutation dealt out to ``folds`` folds, whose sizes differ by one at most; fold
        ``fold`` is test. count(validation_share) of the other rows, at random, are validation.
    ``user_kfold``
        As ``kfold``, but the rows are dealt user by user, each user's in random order: of every
        user two folds differ by one row at most, and in all by one as well.
    ``given``
        By the column ``part``: a published split as it is. Where it has no validation, that is a
        slice of train: see `take_validation`. With ``duplicates`` ``error`` a pair in two parts is
        refused as well; the other policies drop it from the later part and count it, like all
        kinds.

    Rows of one user at the same time follow their order in the table. Repeated pairs: see
    `settle_duplicates`; it works after the assignment, so shares are of the rows before it.

    Parameters
    ----------
    ratings:
        Columns user_id, item_id, rating, perhaps timestamp (int64 seconds) and others. ``part``, if
        it is there, is read by ``given`` alone and is not in the parts.
    instants:
        What `split_instants` gives for the raw log.

    Returns
    -------
    The parts, and a JSON-able report with the counts of ``duplicates`` and, for ``given``, where
    ``validation`` is from (else null): what `audit` takes.

    Raises
    ------
    ConfigError
        The kind needs timestamps or instants that are not there.
    DataError
        A part is empty (validation may be when its share is 0), or duplicates are refused.
    """
    table = to_polars(ratings)
    if config.temporal_kind and TIMESTAMP not in table.columns:
        raise _no_timestamps(config)
    if (instants is not None) != (config.kind == "global_temporal"):
        raise ConfigError(
            f"split.kind: {config.kind} {'takes no' if instants else 'needs'} instants; "
            "pass what split_instants gives"
        )
    validation = None
    if config.kind == "given":
        part, validation = _given(ratings, table, config)
    else:
        part = _assign(table, config, instants)
    ratings = ratings.drop(columns=PART, errors="ignore")
    kept, part, duplicates = settle_duplicates(
        ratings, table, part, config.duplicates, ordered=config.kind not in UNORDERED_KINDS
    )
    _refuse_empty(part, len(ratings), config, instants)
    parts = Parts(*(kept[part == code].reset_index(drop=True) for code in range(len(PARTS))))
    rows = {name: len(rows) for name, rows in parts.named()}
    report = {"kind": config.kind, "rows": rows, "duplicates": duplicates}
    return parts, report | {"validation": validation}


def _given(
    ratings: pd.DataFrame, table: pl.DataFrame, config: SplitConfig
) -> tuple[np.ndarray, str]:
    part = given_parts(ratings)
    if config.duplicates == "error":  # before a repeat in train can be cut apart
        refuse_repeats(table, part)
    return take_validation(table, part, config.validation_share, config.seed)


def _assign(table: pl.DataFrame, config: SplitConfig, instants: Instants | None) -> np.ndarray:
    """Part of each row, int8[n]."""
    if instants is not None:
        times = table[TIMESTAMP].to_numpy()
        later = (times >= instants.validation).astype(np.int8)
        return later + (times >= instants.test).astype(np.int8)
    rng = np.random.default_rng(config.seed)
    if config.kind == "random":
        return _random(table.height, config, rng)
    if config.kind == "kfold":
        # The same order for every fold, so that the folds are disjoint.
        return _dealt(rng.permutation(table.height), config, rng)
    if config.kind == "user_kfold":
        return _dealt(_by_user(table, rng), config, rng)
    if config.kind == "user_random":
        order = table.select(USER, pl.Series("order", rng.permutation(table.height)))
    else:
        order = table.select(USER, pl.col(TIMESTAMP).alias("order"))
    return _last_of_users(order, config)


def _random(rows: int, config: SplitConfig, rng: np.random.Generator) -> np.ndarray:
    part = np.full(rows, TRAIN, dtype=np.int8)
    test, validation = _count(config.test_share, rows), _count(config.validation_share, rows)
    order = rng.permutation(rows)
    part[order[:test]] = TEST
    part[order[test : test + validation]] = VALIDATION
    return part


def _by_user(table: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Rows one user after another, those of each in random order."""
    drawn = pl.Series("drawn", rng.permutation(table.height))
    ordered = table.select(USER, drawn).with_row_index("row").sort(USER, "drawn")
    return ordered["row"].to_numpy()


def _dealt(order: np.ndarray, config: SplitConfig, rng: np.random.Generator) -> np.ndarray:
    """Parts of the rows, which are dealt out to the folds in this order."""
    part = np.full(len(order), TRAIN, dtype=np.int8)
    in_fold = np.arange(len(order)) % config.folds == config.fold
    part[order[in_fold]] = TEST
    rest = rng.permutation(order[~in_fold])
    part[rest[: _count(config.validation_share, len(rest))]] = VALIDATION
    return part


def _last_of_users(order: pl.DataFrame, config: SplitConfig) -> np.ndarray:
    """Parts by the place of each row among its user's, equal ``order`` in row order."""
    place = pl.col("order").rank("ordinal").cast(pl.Int64).over(USER)  # from 1
    rows = pl.len().cast(pl.Int64).over(USER)
    order = order.select(rows.alias("rows"), (rows - place).alias("from_end"))
    rows = pl.col("rows")
    if config.kind == "leave_last_out":
        test = validation = pl.when(rows >= 3).then(1).otherwise(0)
    else:
        test = pl.min_horizontal(_count(config.test_share, rows), rows - 1)
        validation = pl.min_horizontal(_count(config.validation_share, rows), rows - 1 - test)
    part = (
        pl.when(pl.col("from_end") < test)
        .then(TEST)
        .when(pl.col("from_end") < test + validation)
        .then(VALIDATION)
        .otherwise(TRAIN)
    )
    return order.select(part.cast(pl.Int8)).to_series().to_numpy()


def _count(share: float, rows: Any) -> Any:
    """⌊share·rows + ½⌋ of an integer or of an expression."""
    if isinstance(rows, pl.Expr):
        return (rows * share + 0.5).floor().cast(pl.Int64)
    return int(np.floor(rows * share + 0.5))


def _refuse_empty(
    part: np.ndarray, rows: int, config: SplitConfig, instants: Instants | None
) -> None:
    sizes = np.bincount(part, minlength=len(PARTS))
    may_be_empty = {VALIDATION} if config.validation_share == 0 else set()
    if all(size or code in may_be_empty for code, size in enumerate(sizes)):
        return
    named = ", ".join(f"{name} {size}" for name, size in zip(PARTS, sizes, strict=True))
    cut = ""
    if instants is not None:
        cut = (
            f" (validation begins at {moment(instants.validation)}, test at "
            f"{moment(instants.test)})"
        )
    if config.kind == "given":
        cut = (
            "; a part's rows all repeat pairs of an earlier part, or split.validation_share is tiny"
        )
    raise DataError(
        f"split.kind {config.kind} leaves a part of {rows} ratings empty: {named} rows{cut}"
    )


def _no_timestamps(config: SplitConfig) -> ConfigError:
    return ConfigError(
        f"split.kind: {config.kind} needs timestamps, and these ratings have none; use random, "
        "user_random, kfold or user_kfold"
    )
