"""Repeated plays and returned goods as shops have them: what each policy makes of a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cofilter.preparation.duplicates import Policy, settle_duplicates
from cofilter.preparation.tables import to_polars
from cofilter.sources.source import obtain
from tests.sources.configs import source

CASES = Path(__file__).parents[1] / "sources" / "cases"


def settled(name: str, policy: Policy, user: str, rating: str) -> dict[tuple[Any, ...], float]:
    """The pairs of a case, in one part, with their ratings."""
    item, time = ("sku", "at") if user == "customer" else ("item", "t")
    columns = {"user": user, "item": item, "rating": rating, "timestamp": time}
    config = source("csv", path=name, columns=columns, invalid="skip")
    ratings = obtain(config, CASES, CASES).ratings
    part = np.zeros(len(ratings), np.int8)
    kept, _, _ = settle_duplicates(ratings, to_polars(ratings), part, policy)
    return {(row.user_id, row.item_id): row.rating for row in kept.itertuples()}


@pytest.mark.parametrize(
    ("policy", "rating"), [("sum", 1788.2), ("count", 2), ("max", 1784), ("last", 1784)]
)
def test_repeated_plays(policy: Policy, rating: float) -> None:
    found = settled("repeated_plays.csv", policy, "user", "hours")
    assert found[1, 10] == pytest.approx(rating)
    assert len(found) == 3


def test_a_returned_purchase_goes_and_others_add_up() -> None:
    assert settled("returns.csv", "sum", "customer", "quantity") == {
        ("17850.0", "71053"): 3.0,
        ("13047.0", "84879"): 44.0,
    }
