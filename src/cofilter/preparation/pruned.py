"""What a filter's counting rules took away, and what of it a test of everybody would hold.

A model that is trained on pruned data and tested on pruned users looks better than it will be: the
users with few ratings are gone from the test as well. So the split keeps the test rows that the
rules dropped, and `evaluate` scores the same models with them and without.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, PART, TIMESTAMP, USER
from cofilter.core.errors import LeakError
from cofilter.core.io import read_table, write_table
from cofilter.core.parts import Parts, content_sha256
from cofilter.preparation.audit import PRUNED
from cofilter.preparation.duplicates import settle_duplicates
from cofilter.preparation.given import TEST, TRAIN
from cofilter.preparation.instants import Instants, moment
from cofilter.preparation.split import SplitConfig
from cofilter.preparation.tables import to_polars

REMOVED = Path("data/removed.parquet")  # all rows that the counting rules dropped
TEST_ROWS = "pruned.parquet"  # in the split's folder: those that would be test rows


def pruned_test(
    removed: pd.DataFrame, instants: Instants | None, config: SplitConfig
) -> tuple[pd.DataFrame | None, dict[str, Any]]:
    """The rows that would be test rows, had the counting rules not dropped them.

    They are those from the test instant on. A pair that was removed before it too is no test row,
    as in the split; repeats within the period are settled by ``split.duplicates`` (``error``: the
    last one stays, since these rows are not the split's).

    Parameters
    ----------
    removed:
        What the counting rules dropped, with the columns of the ratings.

    Returns
    -------
    The rows, and facts, which the audit states under ``pruned`` where rows were removed:
    ``removed`` (rows, users, items), ``test`` (the same of these rows, and their SHA-256),
    ``reason``. Without instants there are no rows, ``test`` is None and ``reason`` says why: which
    part a row would be in depends on the rows beside it.
    """
    facts: dict[str, Any] = {"removed": _sizes(removed), "test": None, "reason": None}
    if instants is None:
        reason = f"split {config.kind} has no test period that removed rows could belong to"
        return None, facts | {"reason": reason}
    rows = removed.drop(columns=PART, errors="ignore").reset_index(drop=True)
    part = np.where(rows[TIMESTAMP].to_numpy() >= instants.test, TEST, TRAIN).astype(np.int8)
    policy = "last" if config.duplicates == "error" else config.duplicates
    kept, part, _ = settle_duplicates(rows, to_polars(rows), part, policy)
    test = kept[part == TEST].reset_index(drop=True)
    return test, facts | {"test": _sizes(test) | {"sha256": content_sha256(test)}}


def save_pruned(rows: pd.DataFrame | None, folder: Path) -> None:
    """Write the rows into the split's folder; None: see that none lie there."""
    if rows is None:
        (folder / TEST_ROWS).unlink(missing_ok=True)
    else:
        write_table(folder / TEST_ROWS, rows)


def load_pruned(folder: Path, audit: Mapping[str, Any]) -> pd.DataFrame | None:
    """The test rows that were pruned; None where the audit knows of none."""
    facts = audit.get(PRUNED)
    return None if facts is None or facts["test"] is None else read_table(folder / TEST_ROWS)


def verify_pruned(rows: pd.DataFrame, audit: Mapping[str, Any], parts: Parts) -> None:
    """Compare the rows with the audit, and prove that they are of the test period and in no part.

    Raises
    ------
    LeakError
        They are others than the audit states, begin too early, or hold a pair of a part.
    """
    found, instant = _sizes(rows) | {"sha256": content_sha256(rows)}, audit["instants"]["test"]
    if found != audit[PRUNED]["test"]:
        raise LeakError(f"the pruned test rows do not match the audit: found {found}")
    if len(rows) and rows[TIMESTAMP].min() < instant:
        raise LeakError(f"a pruned test row is earlier than the test instant, {moment(instant)}")
    pairs = pd.MultiIndex.from_frame(rows[[USER, ITEM]])
    for name, part in parts.named():
        if pairs.isin(pd.MultiIndex.from_frame(part[[USER, ITEM]])).any():
            raise LeakError(f"a pair of the pruned test rows is in {name} as well")


def _sizes(rows: pd.DataFrame) -> dict[str, int]:
    users, items = (int(rows[column].nunique()) for column in (USER, ITEM))
    return {"rows": len(rows), "users": users, "items": items}
