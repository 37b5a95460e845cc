from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.parts import Parts
from cofilter.preparation.instants import Instants
from cofilter.preparation.split import Kind, SplitConfig, split_instants, split_ratings
from tests.preparation.logs import Row, distinct, log, rows_of

CONF = Path(__file__).parents[2] / "conf" / "split"
KINDS: list[Kind] = [
    "global_temporal",
    "user_temporal",
    "leave_last_out",
    "random",
    "user_random",
    "kfold",
    "user_kfold",
]
SHARES = st.sampled_from([0.1, 0.2, 0.3, 0.45])


def split(ratings: pd.DataFrame, config: SplitConfig) -> Parts:
    return split_ratings(ratings, config, split_instants(config, ratings.get("timestamp")))[0]


def as_sets(parts: Parts) -> list[set[tuple[Any, ...]]]:
    return [set(table.itertuples(index=False, name=None)) for _, table in parts.named()]


def big(users: int = 30, items: int = 20, seed: int = 0) -> pd.DataFrame:
    """Every user rates every item once, in random order; all times differ."""
    n = users * items
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    return pd.DataFrame(
        {
            "user_id": order // items,
            "item_id": order % items,
            "rating": rng.integers(1, 6, n).astype(float),
            "timestamp": rng.permutation(n) + 1_000_000,
        }
    )


def naive_by_user(rows: list[Row], config: SplitConfig) -> list[set[Row]]:
    parts: list[set[Row]] = [set(), set(), set()]
    for user in {row[0] for row in rows}:
        own = sorted((row for row in rows if row[0] == user), key=lambda row: row[3])  # stable
        n = len(own)
        if config.kind == "leave_last_out":
            test = validation = int(n >= 3)
        else:
            test = min(math.floor(n * config.test_share + 0.5), n - 1)
            validation = min(math.floor(n * config.validation_share + 0.5), n - 1 - test)
        parts[0] |= set(own[: n - test - validation])
        parts[1] |= set(own[n - test - validation : n - test])
        parts[2] |= set(own[n - test :])
    return parts


@settings(max_examples=200)
@given(
    rows_of(users=5, items=20, times=6, size=60).map(distinct),
    st.sampled_from(["user_temporal", "leave_last_out"]),
    SHARES,
    SHARES,
)
def test_by_user_agrees_with_plain_loops(
    rows: list[Row], kind: Kind, validation: float, test: float
) -> None:
    config = SplitConfig(kind=kind, validation_share=validation, test_share=test)
    expected = naive_by_user(rows, config)
    if all(expected):
        assert as_sets(split(log(rows), config)) == expected
    else:
        with pytest.raises(DataError, match=r"empty: train \d+, validation \d+, test \d+ rows"):
            split(log(rows), config)


@given(rows_of(users=5, items=20, times=12, size=60).map(distinct), SHARES, SHARES)
def test_global_cut_agrees_with_comparisons(
    rows: list[Row], validation: float, test: float
) -> None:
    config = SplitConfig(validation_share=validation, test_share=test)
    try:
        cut = split_instants(config, log(rows).timestamp)
    except DataError:
        return
    assert cut is not None
    parts = as_sets(split_ratings(log(rows), config, cut)[0])
    assert parts[0] == {row for row in rows if row[3] < cut.validation}
    assert parts[1] == {row for row in rows if cut.validation <= row[3] < cut.test}
    assert parts[2] == {row for row in rows if row[3] >= cut.test}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("string_ids", [False, True])
def test_every_row_is_in_one_part_in_the_order_of_the_log(kind: Kind, string_ids: bool) -> None:
    ratings = big()
    if string_ids:
        ratings = ratings.astype({"user_id": "str", "item_id": "str"})
    parts = split(ratings, SplitConfig(kind=kind))
    together = []
    for _, table in parts.named():
        place = table.merge(ratings.reset_index(), on=["user_id", "item_id"])["index"]
        assert place.is_monotonic_increasing
        assert table.dtypes.equals(ratings.dtypes)
        together += place.tolist()
    assert sorted(together) == list(range(len(ratings)))


@pytest.mark.parametrize("kind", ["random", "user_random", "kfold"])
def test_random_kinds_need_no_times_and_follow_their_seed(kind: Kind) -> None:
    ratings = big().drop(columns="timestamp")
    drawn = [as_sets(split(ratings, SplitConfig(kind=kind, seed=seed))) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert "timestamp" not in split(ratings, SplitConfig(kind=kind)).train.columns


@pytest.mark.parametrize("kind", ["global_temporal", "user_temporal", "leave_last_out"])
def test_temporal_kinds_refuse_a_log_without_times(kind: Kind) -> None:
    ratings = big().drop(columns="timestamp")
    config = SplitConfig(kind=kind)
    with pytest.raises(ConfigError, match=f"split.kind: {kind} needs timestamps"):
        split_instants(config, None)
    with pytest.raises(ConfigError, match=f"split.kind: {kind} needs timestamps"):
        split_ratings(ratings, config, None)


def test_random_takes_exact_shares() -> None:
    parts = split(big(), SplitConfig(kind="random", validation_share=0.15, test_share=0.25))
    assert [len(table) for _, table in parts.named()] == [360, 90, 150]


def test_user_random_takes_the_share_of_each_user() -> None:
    parts = split(big(), SplitConfig(kind="user_random", validation_share=0.1, test_share=0.2))
    for table, rows in ((parts.train, 14), (parts.validation, 2), (parts.test, 4)):
        assert (table.user_id.value_counts() == rows).all()
        assert table.user_id.nunique() == 30


@pytest.mark.parametrize("folds", [2, 5, 7])
def test_kfold_tests_every_row_exactly_once(folds: int) -> None:
    ratings = big()
    tested: list[tuple[Any, ...]] = []
    sizes = []
    for fold in range(folds):
        parts = split(ratings, SplitConfig(kind="kfold", fold=fold, folds=folds))
        tested += parts.test.itertuples(index=False, name=None)
        sizes.append(len(parts.test))
        rest = len(ratings) - len(parts.test)
        assert len(parts.validation) == math.floor(0.1 * rest + 0.5)
        assert len(parts.train) + len(parts.validation) == rest
    assert sorted(tested) == sorted(ratings.itertuples(index=False, name=None))
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("kind", ["random", "user_random", "kfold"])
def test_random_kinds_can_go_without_validation(kind: Kind) -> None:
    parts = split(big(), SplitConfig(kind=kind, validation_share=0))
    assert len(parts.validation) == 0
    assert parts.validation.dtypes.equals(big().dtypes)


@given(rows_of(users=4, items=4, times=8, size=60), st.sampled_from(KINDS))
def test_no_pair_is_in_two_parts_and_counts_add_up(rows: list[Row], kind: Kind) -> None:
    ratings, config = log(rows), SplitConfig(kind=kind, validation_share=0.2, test_share=0.2)
    try:
        cut = split_instants(config, ratings.timestamp)
        parts, report = split_ratings(ratings, config, cut)
    except DataError:
        return
    pairs = pd.concat([table for _, table in parts.named()])[["user_id", "item_id"]]
    assert not pairs.duplicated().any()
    lost = report["duplicates"]
    assert len(pairs) == sum(report["rows"].values())
    assert len(pairs) + sum(lost["within"].values()) + sum(lost["earlier"].values()) == len(rows)


def test_one_user() -> None:
    ratings = log([(1, item, 3.0, 100 + item) for item in range(10)])
    parts = split(ratings, SplitConfig(kind="leave_last_out"))
    assert parts.test.item_id.tolist() == [9]
    assert parts.validation.item_id.tolist() == [8]
    assert len(split(ratings, SplitConfig()).test) == 1


def test_one_time_for_all() -> None:
    ratings = log([(1, item, 3.0, 5) for item in range(10)])
    with pytest.raises(DataError, match="train has 0, validation 0 and test 10"):
        split(ratings, SplitConfig())
    parts = split(ratings, SplitConfig(kind="user_temporal"))  # ties follow the row order
    assert parts.test.item_id.tolist() == [9]


def test_a_part_that_the_filter_emptied_is_named_with_the_instants() -> None:
    ratings = log([(1, 1, 3.0, 1), (1, 2, 3.0, 2)])
    words = r"empty: train 2, validation 0, test 0 rows \(validation begins at 10 .*test at 20 "
    with pytest.raises(DataError, match=words):
        split_ratings(ratings, SplitConfig(), Instants(10, 20))


def test_instants_belong_to_the_global_cut_alone() -> None:
    with pytest.raises(ConfigError, match="global_temporal needs instants"):
        split_ratings(big(), SplitConfig(), None)
    with pytest.raises(ConfigError, match="random takes no instants"):
        split_ratings(big(), SplitConfig(kind="random"), Instants(1, 2))
    assert split_instants(SplitConfig(kind="user_temporal"), big().timestamp) is None


def test_empty_table() -> None:
    with pytest.raises(DataError, match="empty"):
        split(log([]), SplitConfig(kind="random"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "by_moon"}, 'split.kind: "by_moon" is not allowed'),
        ({"test_share": 0.0}, "split.test_share"),
        ({"validation_share": 0.5, "test_share": 0.5}, "sum must be below 1"),
        ({"validation_share": 0.0, "kind": "user_temporal"}, "validation_share 0 is not allowed"),
        ({"fold": 5}, "fold 5 is not below folds 5"),
        ({"folds": 1}, "split.folds: 1"),
        ({"duplicates": "first"}, "split.duplicates"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(SplitConfig, values, "split")


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_say_what_the_class_says(kind: Kind) -> None:
    values = OmegaConf.to_container(OmegaConf.load(CONF / f"{kind}.yaml"))
    assert isinstance(values, dict)
    assert list(values) == list(SplitConfig.model_fields)
    given = {str(key): value for key, value in values.items()}
    assert parse(SplitConfig, given) == SplitConfig(kind=kind)


@given(rows_of(users=5, items=20, times=6, size=60).map(distinct), st.sampled_from([2, 3, 5]))
def test_folds_by_user_deal_every_users_rows(rows: list[Row], folds: int) -> None:
    """Every row is in one fold; of a user, and in all, folds differ by one row at most."""
    tested: list[set[Row]] = []
    for fold in range(folds):
        config = SplitConfig(kind="user_kfold", validation_share=0, folds=folds, fold=fold)
        if len(rows) < folds + 1:
            return
        tested.append(as_sets(split(log(rows), config))[2])
    assert sum(map(len, tested)) == len(rows)
    assert set().union(*tested) == set(rows)
    for group in (set(rows), *({row for row in rows if row[0] == user} for user in range(6))):
        sizes = [len(each & group) for each in tested]
        assert max(sizes) - min(sizes) <= 1
