"""What the stages tell of a file whose pairs repeat."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from cofilter.core.io import read_json
from cofilter.core.paths import RATINGS as TABLE
from cofilter.core.paths import SPLIT
from tests.checkout import RATINGS, Checkout

NAMES = ("train", "validation", "test")


def repeats(rows: pd.DataFrame, begins: tuple[int, int]) -> tuple[list[int], list[int]]:
    """By plain loops: rows beyond the first of a pair in a part, and pairs that were before."""
    counted: list[Counter[tuple[int, int]]] = [Counter(), Counter(), Counter()]
    for row in rows.itertuples():
        counted[sum(row.timestamp >= begin for begin in begins)][row.user_id, row.item_id] += 1
    within, earlier = [0, 0, 0], [0, 0, 0]
    for code, pairs in enumerate(counted):
        for pair, count in pairs.items():
            within[code] += count - 1
            earlier[code] += any(pair in before for before in counted[:code])
    return within, earlier


def told(counts: list[int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in zip(NAMES, counts, strict=True) if n)


def test_a_split_tells_what_became_of_repeats(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "checkout")
    once = pd.read_csv(checkout.path / RATINGS)
    rng = np.random.default_rng(4)
    again = once.sample(1500, random_state=4)
    again["timestamp"] += rng.integers(0, 50_000_000, len(again))
    pd.concat([once, again, again[:200]]).to_csv(checkout.path / RATINGS, index=False)
    for stage in ("download", "filter", "split"):
        ran = checkout.stage(stage, "split.duplicates=last", inside=True)
        assert ran.returncode == 0, ran.stderr
    facts = read_json(checkout.path / SPLIT / "audit.json")
    begins = facts["instants"]["validation"], facts["instants"]["test"]
    rows = pd.read_parquet(checkout.path / TABLE)
    within, earlier = repeats(rows, begins)
    assert all(within)
    assert all(earlier[1:])
    lost = sum(within) + sum(earlier)
    assert (
        f"{lost:,} of {len(rows):,} rows were merged or dropped by split.duplicates=last: "
        f"{sum(within):,} repeats inside a part ({told(within)}), "
        f"{sum(earlier):,} repeats of an earlier part ({told(earlier)})\n"
    ) in ran.stdout
    assert "split.duplicates=last keeps a pair's latest rating" in ran.stdout
    assert len(rows) - lost == sum(facts["parts"][name]["rows"] for name in NAMES)
