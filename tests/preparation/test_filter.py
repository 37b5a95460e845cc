from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError
from cofilter.preparation.filter import FilterConfig, filter_and_prune, filter_ratings
from cofilter.preparation.instants import Instants
from tests.preparation.logs import Row, log, rows_of

CONF = Path(__file__).parents[2] / "conf" / "filter"
CUT = Instants(validation=5, test=7)

small = st.none() | st.integers(1, 4)
configs = st.builds(
    FilterConfig,
    min_rating=st.sampled_from([None, 1.0]),
    max_rating=st.sampled_from([None, 4.0]),
    min_date=st.sampled_from([None, 2]),
    max_date=st.sampled_from([None, 8]),
    top_users=small,
    top_items=small,
    min_user_ratings=small,
    min_item_ratings=small,
    k_core=small,
    keep_pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=2).map(tuple),
    scope=st.sampled_from(["train_period", "all"]),
)


def naive_filter(rows: list[Row], config: FilterConfig) -> list[int]:
    """Positions of the rows that stay, by plain loops over rows."""
    forced = {n for n, row in enumerate(rows) if row[:2] in config.keep_pairs}

    def in_range(row: Row) -> bool:
        return (
            (config.min_rating is None or row[2] >= config.min_rating)
            and (config.max_rating is None or row[2] <= config.max_rating)
            and (config.first_second is None or row[3] >= config.first_second)
            and (config.last_second is None or row[3] <= config.last_second)
        )

    kept = [n for n, row in enumerate(rows) if n in forced or in_range(row)]
    early = {n for n in kept if config.scope == "all" or rows[n][3] < CUT.test}
    known = [{rows[n][side] for n in early} for side in (0, 1)]

    def drop(side: int, passing: set[Any]) -> list[int]:
        bad = known[side] - passing
        return [n for n in kept if n in forced or rows[n][side] not in bad]

    def counts(side: int) -> Counter[Any]:
        return Counter(rows[n][side] for n in kept if n in early)

    for side, top in ((0, config.top_users), (1, config.top_items)):
        if top is not None:
            ranked = sorted(counts(side).items(), key=lambda pair: (-pair[1], pair[0]))
            kept = drop(side, {identity for identity, _ in ranked[:top]})
    for side, least in ((0, config.min_user_ratings), (1, config.min_item_ratings)):
        if least is not None:
            kept = drop(side, {i for i, count in counts(side).items() if count >= least})
    while config.k_core is not None:
        before = len(kept)
        for side in (0, 1):
            kept = drop(side, {i for i, count in counts(side).items() if count >= config.k_core})
        if len(kept) == before:
            break
    return kept


@settings(max_examples=300)
@given(rows_of(users=6, items=6, times=10), configs, st.booleans())
def test_agrees_with_plain_loops(rows: list[Row], config: FilterConfig, strings: bool) -> None:
    ratings = log(rows, strings)
    expected = naive_filter(rows, config)
    if strings:
        pairs = tuple((str(user), str(item)) for user, item in config.keep_pairs)
        config = config.model_copy(update={"keep_pairs": pairs})
    if not expected:
        with pytest.raises(DataError, match="leaves none"):
            filter_ratings(ratings, config, CUT)
        return
    kept, report = filter_ratings(ratings, config, CUT)
    pd.testing.assert_frame_equal(kept, ratings.iloc[expected].reset_index(drop=True))
    assert report["before"]["rows"] == len(rows)
    same, _, pruned = filter_and_prune(ratings, config, CUT)
    pd.testing.assert_frame_equal(same, kept)
    ranges = config.model_copy(update=dict.fromkeys(config.counting_rules))
    dropped = sorted(set(naive_filter(rows, ranges)) - set(expected))
    pd.testing.assert_frame_equal(pruned, ratings.iloc[dropped].reset_index(drop=True))
    assert report["after"] == {
        "rows": len(kept),
        "users": kept.user_id.nunique(),
        "items": kept.item_id.nunique(),
    }


@given(rows_of(users=5, items=5, times=10), st.integers(1, 4))
def test_scopes_differ_by_the_symmetric_difference(rows: list[Row], k: int) -> None:
    both = [FilterConfig(k_core=k, scope=scope) for scope in ("train_period", "all")]
    expected = set(naive_filter(rows, both[0])) ^ set(naive_filter(rows, both[1]))
    for config in both:
        if naive_filter(rows, config):
            report = filter_ratings(log(rows), config, CUT)[1]
            assert report["rows_scopes_differ"] == len(expected)


@given(rows_of(users=5, items=5, times=10), st.integers(2, 4))
def test_each_step_begins_where_the_last_ended(rows: list[Row], k: int) -> None:
    config = FilterConfig(min_rating=1.0, min_user_ratings=1, k_core=k, scope="all")
    if not naive_filter(rows, config):
        return
    kept, report = filter_ratings(log(rows), config, None)
    steps = report["rules"]
    assert [step["rule"] for step in steps] == ["min_rating", "min_user_ratings", "k_core"]
    chain = [report["before"], *(step["after"] for step in steps)]
    assert [step["before"] for step in steps] == chain[:-1]
    assert chain[-1] == report["after"]
    assert kept.user_id.value_counts().min() >= k
    assert kept.item_id.value_counts().min() >= k


def test_late_newcomers_are_kept_and_late_regulars_are_judged_by_their_past() -> None:
    early = [(1, 10, 5.0, 1), (1, 11, 5.0, 2), (2, 10, 5.0, 3)]
    late = [(3, 10, 5.0, 8), (2, 10, 4.0, 8), (2, 11, 4.0, 9), (1, 12, 5.0, 9)]
    kept, _ = filter_ratings(log(early + late), FilterConfig(min_user_ratings=2), CUT)
    assert kept.user_id.tolist() == [1, 1, 3, 1]  # 2 has one early row, 3 none, 12 is new
    assert kept.item_id.tolist() == [10, 11, 10, 12]


def test_other_columns_and_types_stay() -> None:
    ratings = log([(1, 1, 5.0, 1), (2, 2, 1.0, 2), (3, 3, 4.0, 3)])
    ratings = ratings.astype({"rating": "float32"}).assign(note=["a", "b", "c"])
    ratings.index = pd.Index([9, 9, 4])
    kept, _ = filter_ratings(ratings, FilterConfig(min_rating=3.0), None)
    assert kept.note.tolist() == ["a", "c"]
    assert kept.index.tolist() == [0, 1]
    assert kept.dtypes.equals(ratings.dtypes)


def test_keep_pairs_are_counted_also_when_absent() -> None:
    ratings = log([(1, 1, 1.0, 1), (1, 1, 2.0, 2), (2, 2, 5.0, 3)])
    config = FilterConfig(min_rating=4.0, keep_pairs=((1, 1), (8, 8)))
    kept, report = filter_ratings(ratings, config, None)
    assert len(kept) == 3
    assert report["keep_pairs"] == {"asked": 2, "found": 1, "rows": 2}


def test_keep_pairs_of_the_wrong_kind() -> None:
    ratings = log([(1, 1, 1.0, 1)], string_ids=True)
    with pytest.raises(ConfigError, match=r"keep_pairs: 1 is not allowed: user_id holds strings"):
        filter_ratings(ratings, FilterConfig(keep_pairs=((1, "1"),)), None)


def test_train_period_without_instants_names_both_keys() -> None:
    ratings = log([(1, 1, 1.0, 1)])
    with pytest.raises(ConfigError, match=r"filter\.scope.*filter\.k_core.*split\.kind"):
        filter_ratings(ratings, FilterConfig(k_core=1), None)
    assert len(filter_ratings(ratings, FilterConfig(min_rating=1.0), None)[0]) == 1
    report = filter_ratings(ratings, FilterConfig(k_core=1, scope="all"), None)[1]
    assert report["rows_scopes_differ"] is None


def test_without_timestamps() -> None:
    ratings = log([(1, 1, 1.0, 1), (1, 2, 1.0, 1)]).drop(columns="timestamp")
    kept, _ = filter_ratings(ratings, FilterConfig(min_user_ratings=2, scope="all"), None)
    assert len(kept) == 2
    with pytest.raises(ConfigError, match=r"filter\.min_date: .*no timestamps"):
        filter_ratings(ratings, FilterConfig(min_date=0), None)
    with pytest.raises(DataError, match="no column timestamp"):
        filter_ratings(ratings, FilterConfig(), CUT)


def test_empty_table() -> None:
    with pytest.raises(DataError, match="empty"):
        filter_ratings(log([]), FilterConfig(), None)


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("1970-01-02", 86400, 2 * 86400 - 1),
        ("1970-01-02T00:00:10", 86410, 86410),
        ("1970-01-02T01:00:00+01:00", 86400, 86400),
        (17, 17, 17),
    ],
)
def test_dates(value: int | str, first: int, last: int) -> None:
    config = FilterConfig(min_date=value, max_date=value)
    assert (config.first_second, config.last_second) == (first, last)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"k_core": 0}, "filter.k_core: 0 is not allowed"),
        ({"min_rating": 4, "max_rating": 3}, "min_rating 4.0 is above max_rating 3.0"),
        ({"min_date": "2001-01-01", "max_date": "2000-01-01"}, "is after max_date"),
        ({"min_date": "yesterday"}, 'filter.min_date: "yesterday" is not allowed: .*ISO 8601'),
        ({"scope": "test"}, "filter.scope"),
        ({"k": 5}, "filter.k: unknown key"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(FilterConfig, values, "filter")


def test_the_default_file_says_what_the_class_says() -> None:
    values = OmegaConf.to_container(OmegaConf.load(CONF / "default.yaml"))
    assert isinstance(values, dict)
    assert list(values) == list(FilterConfig.model_fields)
    assert parse(FilterConfig, {str(key): value for key, value in values.items()}) == FilterConfig()
