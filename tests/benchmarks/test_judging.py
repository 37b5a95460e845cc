from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.judging import faster, more_a_second, not_worse, reaches, same_lists, within
from benchmarks.row import OURS, Outcome
from benchmarks.rows import ROWS


def outcome(seconds: float, arrays: str | None = None, **facts: Any) -> Outcome:
    return Outcome([seconds], 0.0, 1.0, facts, {}, "", arrays)


def test_faster_takes_medians_and_asks_for_the_rest() -> None:
    outcomes = {
        OURS: [outcome(s, rmse=0.9) for s in (1, 9, 2)],
        "peer": [outcome(s, rmse=0.8) for s in (4, 5, 90)],
    }
    line = faster("x", "peer", 0.5)(outcomes)[0]
    assert (line.ratio, line.reached) == (0.4, True)
    worse = faster("x", "peer", 0.5, extra=not_worse("rmse", "peer"))(outcomes)[0]
    assert not worse.reached
    assert worse.note == "rmse 0.9000 against 0.8000"


def test_more_a_second_compares_rates() -> None:
    outcomes = {
        name: [outcome(1, per_second=rate, fit_seconds=2.0)]
        for name, rate in ((OURS, 900.0), ("peer", 10.0))
    }
    assert more_a_second("x", "peer", 100)(outcomes)[0].reached is False
    assert more_a_second("x", "peer", 90)(outcomes)[0].reached is True


@pytest.mark.parametrize(("goal", "ratio", "reached"), [(0.9, 0.2, True), (0.85, 0.3, False)])
def test_reaches_takes_the_time_of_the_first_epoch_that_is_as_good(
    goal: float, ratio: float, reached: bool
) -> None:
    curve = [[1.0, 0.95], [2.0, 0.9], [3.0, 0.85]]
    outcomes = {
        OURS: [outcome(1, curve=curve, rmse=0.85)],
        "peer": [outcome(1, rmse=goal, training_seconds=10.0)],
    }
    line = reaches("x", "peer", 0.2)(outcomes)[0]
    assert (line.ratio, line.reached) == (pytest.approx(ratio), reached)


def test_reaches_says_when_it_never_does() -> None:
    outcomes = {
        OURS: [outcome(1, curve=[[1.0, 0.95]], rmse=0.95)],
        "peer": [outcome(1, rmse=0.9, training_seconds=10.0)],
    }
    line = reaches("x", "peer", 0.2)(outcomes)[0]
    assert (line.ours, line.reached) == ("not in 1 epochs", False)


@pytest.mark.parametrize(
    ("ids", "values", "same"),
    [
        ([1, 3, 2, 4], [0.9, 0.5, 0.5, 0.1], True),
        ([1, 3, 2, 4], [0.9, 0.6, 0.5, 0.1], False),  # another value
        ([7, 2, 3, 4], [0.9, 0.5, 0.5, 0.1], False),  # another id, though the values are right
        ([1, 2, 3, 7], [0.9, 0.5, 0.5, 0.1], True),  # tied with the first that is left out
    ],
)
def test_same_lists_forgives_ties_only(
    tmp_path: Path, ids: list[int], values: list[float], same: bool
) -> None:
    np.savez(tmp_path / "a.npz", ids=[[1, 2, 3, 4]], values=[[0.9, 0.5, 0.5, 0.1]])
    np.savez(tmp_path / "b.npz", ids=[ids], values=[values])
    outcomes = {
        OURS: [outcome(1, str(tmp_path / "a.npz"))],
        "peer": [outcome(1, str(tmp_path / "b.npz"))],
    }
    assert same_lists("ids", "values", "peer")(outcomes)[0] is same


def test_within_holds_time_and_memory() -> None:
    outcomes = {OURS: [outcome(30, download=10.0)]}
    assert within("x", 45, "s")(outcomes)[0].reached
    assert not within("x", 45, "s", memory_gb=0.5)(outcomes)[0].reached


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_ours_first_and_a_name_for_each_side(name: str) -> None:
    sides = ROWS[name].sides
    assert sides[0].name == OURS
    assert len({side.name for side in sides}) == len(sides)
    for side in sides:
        module, _, function = side.work.partition(":")
        source = Path(__file__).parents[2] / f"{module.replace('.', '/')}.py"
        assert f"\ndef {function}(" in source.read_text()
