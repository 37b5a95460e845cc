"""Windows against a brute-force version, row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cofilter.backtest.config import BacktestConfig
from cofilter.backtest.windows import Cut, Window, cut_window, window_cuts
from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import DataError, LeakError
from cofilter.preparation.split import SplitConfig

TEST = 10_000
SPLIT = SplitConfig()


def log(seed: int, n: int, distinct: int) -> pd.DataFrame:
    """n different pairs in any order, at ``distinct`` times at most, before the test instant."""
    rng = np.random.default_rng(seed)
    pair = rng.permutation(40 * 30)[:n]
    times = rng.choice(rng.integers(0, TEST, distinct), n)
    return pd.DataFrame(
        {USER: pair // 30, ITEM: pair % 30, RATING: rng.integers(1, 6, n), TIMESTAMP: times}
    )


def cut_all(rows: pd.DataFrame, config: BacktestConfig, split: SplitConfig = SPLIT) -> list[Window]:
    times = rows[TIMESTAMP].to_numpy()
    return [cut_window(rows, cut, split) for cut in window_cuts(times, TEST, split, config)]


def brute_cuts(times: list[int], split: SplitConfig, config: BacktestConfig) -> list[Cut] | None:
    """As the docstring says it; None where something is empty."""
    times, n, found = sorted(times), len(times), []
    begins = []
    for window in range(1, config.windows + 1):
        left = config.windows - window + 1
        position = n - int(np.floor(config.share * n * left / config.windows + 0.5))
        begins.append(times[position] if position < n else TEST)
    begins.append(TEST)
    share = split.validation_share / (1 - split.test_share)
    for window in range(1, config.windows + 1):
        begin, end = begins[window - 1], begins[window]
        before = [time for time in times if time < begin]
        if not before or not [time for time in times if begin <= time < end]:
            return None
        inner = before[len(before) - max(1, int(np.floor(share * len(before) + 0.5)))]
        if inner == before[0]:
            return None
        found.append(Cut(window, inner, begin, end))
    return found


@settings(max_examples=40)  # each cuts up to eight windows by plain loops
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 400),
    distinct=st.integers(1, 300),
    windows=st.integers(1, 8),
    share=st.floats(0.05, 0.95),
    validation=st.floats(0.02, 0.45),
)
def test_windows_are_those_of_the_brute_force_version(
    seed: int, n: int, distinct: int, windows: int, share: float, validation: float
) -> None:
    rows = log(seed, n, distinct)
    config = BacktestConfig(windows=windows, share=share)
    split = SplitConfig(validation_share=validation, test_share=0.2)
    expected = brute_cuts(rows[TIMESTAMP].tolist(), split, config)
    if expected is None:
        with pytest.raises(DataError, match=r"backtest\.windows"):
            cut_all(rows, config, split)
        return
    found = cut_all(rows, config, split)
    assert [window.cut for window in found] == expected
    for window in found:
        cut, parts = window.cut, window.parts
        before = rows[rows[TIMESTAMP] < cut.begin]
        sides = before[TIMESTAMP] < cut.inner
        held = rows[(rows[TIMESTAMP] >= cut.begin) & (rows[TIMESTAMP] < cut.end)]
        for part, wanted in zip(
            (parts.train, parts.validation, parts.test),
            (before[sides], before[~sides], held),
            strict=True,
        ):
            pd.testing.assert_frame_equal(part, wanted.reset_index(drop=True))
    prove(found, rows)


def prove(windows: list[Window], rows: pd.DataFrame) -> None:
    """What a backtest promises, whatever the cuts are."""
    known: set[tuple[int, int]] = set()
    held: list[tuple[int, int]] = []
    for window in windows:
        parts = window.parts
        train = pd.concat([parts.train, parts.validation])
        mine = set(train[[USER, ITEM]].itertuples(index=False, name=None))
        test = list(parts.test[[USER, ITEM]].itertuples(index=False, name=None))
        assert max(parts.test[TIMESTAMP]) < window.cut.end <= TEST
        assert known < mine  # trains are nested, each larger than the one before
        assert not mine & set(test)
        assert set(window.audit["overlap"].values()) == {0}
        assert window.audit["temporal"]
        known, held = mine, held + test
    assert len(held) == len(set(held))
    assert known | set(held) == set(rows[[USER, ITEM]].itertuples(index=False, name=None))


def test_windows_are_of_equal_size_after_the_first_train() -> None:
    rows = log(0, 1000, 100_000)
    found = cut_all(rows, BacktestConfig(windows=4, share=0.6))
    assert [len(window.parts.test) for window in found] == pytest.approx([150] * 4, abs=3)
    first = found[0].parts
    assert len(first.train) + len(first.validation) == pytest.approx(400, abs=3)
    assert len(first.validation) == pytest.approx(400 / 9, abs=3)  # 0.1 / (1 − 0.1)


def test_a_row_of_the_test_part_is_a_leak() -> None:
    rows = log(0, 100, 50)
    rows.loc[3, TIMESTAMP] = TEST
    with pytest.raises(LeakError, match=r"a row at 10000 .* test begins at 10000"):
        cut_all(rows, BacktestConfig())


def test_a_repeated_pair_is_no_row_of_a_later_window() -> None:
    """As in the split: the earlier part keeps it."""
    rows = log(1, 300, 1000)
    early, late = rows[TIMESTAMP].idxmin(), rows[TIMESTAMP].idxmax()
    rows.loc[late, [USER, ITEM]] = rows.loc[early, [USER, ITEM]]
    windows = cut_all(rows, BacktestConfig(windows=3))
    assert windows[-1].audit["duplicates"]["earlier"]["test"] == 1
    assert windows[-1].parts.test[TIMESTAMP].max() < rows[TIMESTAMP].max()


def test_an_empty_window_is_one_clear_line() -> None:
    rows = log(0, 60, 2)
    with pytest.raises(DataError) as refused:
        cut_all(rows, BacktestConfig(windows=5))
    line = str(refused.value)
    assert "\n" not in line
    assert line.startswith("window 1 of 5 (from ")
    assert "set fewer windows (backtest.windows)" in line
    assert "backtest.windows=0" in line


def test_counts_that_the_split_has_made_are_not_counted_again() -> None:
    rows = log(0, 400, 300)
    counted = SPLIT.model_copy(update={"duplicates": "count"})
    plain, again = (cut_all(rows, BacktestConfig(), split) for split in (SPLIT, counted))
    for one, other in zip(plain, again, strict=True):
        pd.testing.assert_frame_equal(one.parts.train, other.parts.train)
        pd.testing.assert_frame_equal(one.parts.test, other.parts.test)
