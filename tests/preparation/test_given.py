"""Published splits: the parts stay as they are, and the audit says what they leak."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError, LeakError
from cofilter.core.parts import PARTS, Parts
from cofilter.preparation.audit import audit, verify_audit
from cofilter.preparation.filter import FilterConfig, filter_ratings
from cofilter.preparation.split import Kind, SplitConfig, split_instants, split_ratings
from tests.preparation.logs import Row, distinct, log, rows_of
from tests.preparation.test_split import CONF, KINDS, big

GIVEN = SplitConfig(kind="given", validation_share=0.2, duplicates="error")
FREE = GIVEN.model_copy(update={"validation_share": 0.0})


def published(rows: list[Row], parts: list[str], *, times: bool = True) -> pd.DataFrame:
    table = log(rows).assign(part=pd.Series(parts, dtype="str"))
    return table if times else table.drop(columns="timestamp")


def audited(ratings: pd.DataFrame, config: SplitConfig) -> tuple[Parts, dict[str, Any]]:
    parts, report = split_ratings(ratings, config, split_instants(config, ratings.get("timestamp")))
    facts = audit(parts, None, config, report["duplicates"], report["validation"])
    verify_audit(parts, json.loads(json.dumps(facts)), config)
    return parts, facts


def users_of(part: pd.DataFrame) -> dict[int, list[int]]:
    return {user: rows.timestamp.tolist() for user, rows in part.groupby("user_id")}


@st.composite
def splits(draw: st.DrawFn) -> pd.DataFrame:
    rows = distinct(draw(rows_of(users=4, items=9, times=9, size=30)))
    names = st.lists(st.sampled_from(PARTS), min_size=len(rows), max_size=len(rows))
    parts = [*draw(names), "train", "test"]
    return published([*rows, (9, 0, 1.0, 2), (9, 1, 1.0, 6)], parts)


@settings(max_examples=200)
@given(splits())
def test_every_row_stays_in_its_part_and_the_facts_agree_with_plain_loops(
    ratings: pd.DataFrame,
) -> None:
    parts, facts = audited(ratings, FREE)
    for name, table in parts.named():
        wanted = ratings[ratings["part"] == name].drop(columns="part").reset_index(drop=True)
        pd.testing.assert_frame_equal(table, wanted)
    users = {name: users_of(table) for name, table in parts.named()}
    out_of_order = {}
    for earlier, later in combinations(PARTS, 2):
        both = users[earlier].keys() & users[later].keys()
        name = f"{earlier} and {later}"
        out_of_order[name] = sum(max(users[earlier][u]) > min(users[later][u]) for u in both)
        assert facts["published"]["users_in_both"][name] == len(both)
    assert facts["published"]["users_out_of_order"] == out_of_order
    spans = [table.timestamp for _, table in parts.named() if len(table)]
    in_order = all(a.max() < b.min() for a, b in combinations(spans, 2))
    per_user = not any(out_of_order.values())
    wanted_order = "global" if in_order else "per user" if per_user else "none"
    assert (facts["time_order"], facts["temporal"]) == (wanted_order, in_order)


def test_users_of_one_part_each_are_in_no_order() -> None:
    """Where nobody is in train and test there is no user whose rows are in order."""
    ratings = published([(1, 1, 1.0, 5), (2, 2, 1.0, 4)], ["train", "test"])
    assert audited(ratings, FREE)[1]["time_order"] == "none"


@given(splits(), st.sampled_from([0.1, 0.3, 0.5]), st.booleans())
def test_without_validation_a_slice_of_train_is_taken(
    ratings: pd.DataFrame, share: float, times: bool
) -> None:
    ratings = ratings.assign(part=ratings["part"].replace("validation", "train"))
    ratings = ratings if times else ratings.drop(columns="timestamp")
    config = GIVEN.model_copy(update={"validation_share": share})
    train = ratings[ratings["part"] == "train"].drop(columns="part")
    count = int(np.floor(share * len(train) + 0.5))
    begins = sorted(train["timestamp"])[len(train) - count] if times and count else None
    if count in (0, len(train)) or (begins is not None and (train["timestamp"] >= begins).all()):
        with pytest.raises(DataError, match=r"leaves a part|takes the last of train for it"):
            split_ratings(ratings, config, None)
        return
    parts, facts = audited(ratings, config)
    together = pd.concat([parts.train, parts.validation])
    assert sorted(together.itertuples(index=False)) == sorted(train.itertuples(index=False))
    if begins is not None:
        assert facts["published"]["validation"] == "last of train"
        assert parts.train["timestamp"].max() < begins <= parts.validation["timestamp"].min()
    else:
        assert facts["published"]["validation"] == "random of train"
        assert facts["published"]["users_out_of_order"] is None
        assert (len(parts.validation), facts["time_order"]) == (count, "none")


def test_a_random_slice_follows_the_seed() -> None:
    ratings = big().drop(columns="timestamp").assign(part=["train"] * 500 + ["test"] * 100)
    one, same, other = (
        split_ratings(ratings, GIVEN.model_copy(update={"seed": seed}), None)[0].validation
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


TWICE = [(1, 1, 5.0, 1), (1, 2, 4.0, 2), (2, 2, 3.0, 3), (1, 1, 2.0, 4), (2, 1, 2.0, 9)]


def test_an_overlap_is_refused_with_its_rows_and_the_way_out() -> None:
    ratings = published(TWICE, ["train", "train", "train", "test", "test"])
    with pytest.raises(DataError) as refused:
        split_ratings(ratings, FREE, None)
    assert str(refused.value).startswith(
        "1 (user, item) pairs are in two parts of the split, first user 1, item 1 in train (row 1),"
        " test (row 4) of the filtered ratings (counted from 1); split.duplicates=last keeps"
    )


def test_a_repeat_within_train_is_refused_as_that_whatever_the_slice() -> None:
    ratings = published(TWICE, ["train", "train", "train", "train", "test"])
    with pytest.raises(DataError, match=r"first user 1, item 1 in train, rows 1, 4 of"):
        split_ratings(ratings, GIVEN, None)


def test_another_policy_drops_the_later_part_s_repeat_and_counts_it() -> None:
    ratings = published(TWICE, ["train", "train", "train", "test", "test"])
    config = FREE.model_copy(update={"duplicates": "last"})
    parts, facts = audited(ratings, config)
    assert (len(parts.train), parts.test["user_id"].tolist()) == (3, [2])
    assert facts["duplicates"]["earlier"] == {"train": 0, "validation": 0, "test": 1}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            ["train", "train", "valid", "test", "test"],
            "column part, row 3 .*'valid' is not allowed",
        ),
        (["train"] * 5, "no rating of 5 is in test: the source has none, or the filter"),
        (["validation"] * 5, "no rating of 5 is in train or in test"),
    ],
)
def test_unfit_parts_are_named(parts: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        split_ratings(published(TWICE, parts), GIVEN, None)


def test_ratings_without_parts_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"given needs the part of each row.*data.columns.part"):
        split_ratings(log(TWICE), GIVEN, None)


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_kind_sees_the_parts(kind: Kind) -> None:
    config = SplitConfig(kind=kind)
    cut = split_instants(config, big().timestamp)
    with_parts = split_ratings(big().assign(part="train"), config, cut)[0]
    for (_, table), (_, wanted) in zip(
        with_parts.named(), split_ratings(big(), config, cut)[0].named(), strict=True
    ):
        pd.testing.assert_frame_equal(table, wanted)


def test_the_filter_keeps_the_parts() -> None:
    ratings = big().assign(part=["train"] * 500 + ["test"] * 100)
    config = FilterConfig(min_rating=2, k_core=3, scope="all")
    kept, _ = filter_ratings(ratings, config, None)
    assert set(kept["part"]) == {"train", "test"}
    key = ["user_id", "item_id"]
    pd.testing.assert_frame_equal(kept, kept[key].merge(ratings, on=key)[list(kept)])
    with pytest.raises(ConfigError, match=r"this split.kind has no instants"):
        filter_ratings(ratings, FilterConfig(k_core=3), split_instants(GIVEN, ratings.timestamp))


def test_a_moved_row_fails_whatever_the_record_says() -> None:
    ratings = big().sort_values("timestamp", ignore_index=True)
    ratings = ratings.assign(part=["train"] * 500 + ["test"] * 100)
    parts, facts = audited(ratings, GIVEN)
    assert (facts["time_order"], facts["temporal"]) == ("global", True)
    validation = parts.validation
    moved = replace(
        parts,
        train=pd.concat([parts.train, validation.tail(1)], ignore_index=True),
        validation=validation.iloc[:-1],
    )
    with pytest.raises(LeakError, match=r"said to be the last of train and begins at .* but train"):
        audit(moved, None, GIVEN, facts["duplicates"], "last of train")
    swapped = replace(parts, train=parts.test, test=parts.train)
    record = {**facts, "published": {**facts["published"], "validation": "published"}}
    with pytest.raises(LeakError, match="time_order: recorded global, found"):
        verify_audit(swapped, record, GIVEN)
    del facts["published"]
    with pytest.raises(DataError, match="no published"):
        verify_audit(parts, facts, GIVEN)


def test_the_file_says_what_the_class_says_but_refuses_repeats() -> None:
    values = OmegaConf.to_container(OmegaConf.load(CONF / "given.yaml"))
    assert isinstance(values, dict)
    assert list(values) == list(SplitConfig.model_fields)
    found = parse(SplitConfig, {str(key): value for key, value in values.items()})
    assert found == SplitConfig(kind="given", duplicates="error")
