from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError, LeakError
from cofilter.core.parts import Parts, save_parts
from cofilter.preparation.audit import PRUNED, audit, verify_audit
from cofilter.preparation.filter import FilterConfig, filter_and_prune
from cofilter.preparation.instants import Instants
from cofilter.preparation.pruned import load_pruned, pruned_test, save_pruned, verify_pruned
from cofilter.preparation.split import SplitConfig, split_ratings
from tests.preparation.logs import Row, log, rows_of

CUT = Instants(validation=5, test=7)
CORE = FilterConfig(k_core=2)


@given(rows_of(users=6, items=6, times=10), st.sampled_from(["last", "max", "count", "error"]))
def test_pruned_test_rows_agree_with_plain_loops(rows: list[Row], policy: Any) -> None:
    """The last row of each pair that was first removed in the test period."""
    found, facts = pruned_test(log(rows), CUT, SplitConfig(duplicates=policy))
    assert found is not None
    expected: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        if row[3] >= CUT.test and not any(r[:2] == row[:2] and r[3] < CUT.test for r in rows):
            expected.setdefault(row[:2], []).append(row)
    assert len(found) == len(expected)
    for row in found.itertuples(index=False):
        own = expected[row.user_id, row.item_id]
        last = max(own, key=lambda each: (each[3], rows.index(each)))
        rating = {"max": max(r[2] for r in own), "count": len(own)}.get(policy)
        assert row.timestamp == last[3]
        if rating is not None:
            assert row.rating == rating
    assert facts["removed"]["rows"] == len(rows)
    assert facts["test"]["users"] == len({user for user, _ in expected})


def pruned_split() -> tuple[Parts, dict[str, Any], pd.DataFrame]:
    """Users 0 to 3 have rated much, user 4 once in train and twice in test."""
    rows = [(user, item, 3.0, time) for user in range(4) for item, time in enumerate((1, 2, 5, 8))]
    ratings = log([*rows, (4, 0, 3.0, 3), (4, 1, 3.0, 8), (4, 2, 3.0, 9), (5, 0, 4.0, 9)])
    kept, _, removed = filter_and_prune(ratings, CORE, CUT)
    split = SplitConfig()
    parts, report = split_ratings(kept, split, CUT)
    facts = audit(parts, CUT, split, report["duplicates"])
    found, facts[PRUNED] = pruned_test(removed, CUT, split)
    assert found is not None
    return parts, facts, found


def test_what_was_pruned_is_proved_again(tmp_path: Path) -> None:
    parts, facts, rows = pruned_split()
    assert rows["user_id"].tolist() == [4, 4]
    assert facts[PRUNED]["removed"] == {"rows": 3, "users": 1, "items": 3}
    save_pruned(rows, tmp_path)
    save_parts(parts, facts, tmp_path)
    loaded = load_pruned(tmp_path, facts)
    assert loaded is not None
    verify_audit(parts, facts, SplitConfig())
    verify_pruned(loaded, facts, parts)
    with pytest.raises(LeakError, match="do not match the audit"):
        verify_pruned(rows.assign(rating=1.0), facts, parts)
    stolen = parts.test.head(2)
    told = pruned_test(stolen, CUT, SplitConfig())[1]
    with pytest.raises(LeakError, match="is in test as well"):
        verify_pruned(stolen, facts | {PRUNED: told}, parts)


def test_nothing_pruned_leaves_no_trace(tmp_path: Path) -> None:
    _, facts, rows = pruned_split()
    save_pruned(rows, tmp_path)
    save_pruned(None, tmp_path)
    assert list(tmp_path.iterdir()) == []
    del facts[PRUNED]
    assert load_pruned(tmp_path, facts) is None
    with pytest.raises(DataError):
        load_pruned(tmp_path, pruned_split()[1])


def test_a_split_without_instants_says_why_there_are_none() -> None:
    rows, facts = pruned_test(log([(1, 1, 3.0, 9)]), None, SplitConfig(kind="random"))
    assert rows is None
    assert facts["test"] is None
    assert "random has no test period" in facts["reason"]
