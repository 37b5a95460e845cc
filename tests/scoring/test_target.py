from __future__ import annotations

import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.parts import Parts
from cofilter.scoring.target import Target


def pairs(table: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(table[USER].tolist(), table[ITEM].tolist(), strict=True))


def test_seen_holds_exactly_the_pairs_of_target_users_and_train_items(parts: Parts) -> None:
    target = Target.of(parts.train, parts.validation, parts.test, 3.5)
    users, items = set(parts.test[USER]), set(parts.train[ITEM])
    expected = {
        (user, item)
        for user, item in pairs(parts.train) | pairs(parts.validation)
        if user in users and item in items
    }
    seen = target.seen.tocoo()
    row, column = seen.coords
    found = set(zip(target.users.ids[row].tolist(), target.items.ids[column].tolist(), strict=True))
    assert found == expected


def test_warm_is_what_train_holds(parts: Parts) -> None:
    target = Target.of(parts.train, parts.validation, parts.test, None)
    test = parts.test
    warm = test[USER].isin(set(parts.train[USER])) & test[ITEM].isin(set(parts.train[ITEM]))
    assert target.warm_rows.tolist() == warm.tolist()
    assert 0 < warm.sum() < len(test)  # the data set has both, or the tests below show little


@pytest.mark.parametrize("threshold", [None, 0.5, 3.3, 5.0])
def test_relevant_rows_reach_the_threshold(parts: Parts, threshold: float | None) -> None:
    test = parts.test.assign(**{RATING: parts.test[RATING].where(parts.test.index != 0, 3.3)})
    for dtype in ("float64", "float32"):
        target = Target.of(parts.train, None, test.astype({RATING: dtype}), threshold)
        expected = [threshold is None or value >= threshold for value in test[RATING]]
        assert target.relevant.tolist() == expected
