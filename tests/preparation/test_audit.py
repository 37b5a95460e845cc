from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError, LeakError
from cofilter.core.io import table_sha256
from cofilter.core.parts import Parts, content_sha256, load_parts, save_parts
from cofilter.preparation.audit import audit, verify_audit
from cofilter.preparation.instants import Instants
from cofilter.preparation.order import PROMISED
from cofilter.preparation.split import Kind, SplitConfig, split_instants, split_ratings
from tests.preparation.logs import Row, log, rows_of
from tests.preparation.test_split import KINDS, big


def audited(
    ratings: pd.DataFrame, config: SplitConfig
) -> tuple[Parts, dict[str, Any], Instants | None]:
    cut = split_instants(config, ratings.get("timestamp"))
    parts, report = split_ratings(ratings, config, cut)
    return parts, audit(parts, cut, config, report["duplicates"]), cut


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("string_ids", [False, True])
def test_survives_disk_and_json(kind: Kind, string_ids: bool, tmp_path: Path) -> None:
    ratings = big().astype({"user_id": "str", "item_id": "str"}) if string_ids else big()
    config = SplitConfig(kind=kind)
    parts, recorded, _ = audited(ratings, config)
    save_parts(parts, recorded, tmp_path)
    loaded = json.loads((tmp_path / "audit.json").read_text())
    assert loaded == recorded
    verify_audit(load_parts(tmp_path), loaded, config)


@given(rows_of(users=6, items=6, times=9, size=60), st.sampled_from(KINDS))
def test_facts_agree_with_pandas(rows: list[Row], kind: Kind) -> None:
    config = SplitConfig(kind=kind, validation_share=0.2, test_share=0.2)
    try:
        parts, facts, _ = audited(log(rows), config)
    except DataError:
        return
    train = parts.train
    for name, table in parts.named():
        stated = facts["parts"][name]
        assert stated["rows"] == len(table)
        assert stated["users"] == table.user_id.nunique()
        assert stated["items"] == table.item_id.nunique()
        assert stated["first_time"] == table.timestamp.min()
        assert stated["last_time"] == table.timestamp.max()
    for name, table in (("validation", parts.validation), ("test", parts.test)):
        users, items = ~table.user_id.isin(train.user_id), ~table.item_id.isin(train.item_id)
        assert facts["cold"][name] == {
            "users": table.user_id[users].nunique(),
            "items": table.item_id[items].nunique(),
            "rows_of_cold_users": users.sum(),
            "rows_of_cold_items": items.sum(),
            "rows": (users | items).sum(),
        }
    late = (train.timestamp > parts.test.timestamp.min()).mean()
    assert facts["train_share_after_first_test"] == pytest.approx(late)
    assert set(facts["overlap"].values()) == {0}


def test_only_the_global_cut_is_temporal() -> None:
    audits = {kind: audited(big(), SplitConfig(kind=kind))[1] for kind in KINDS}
    assert [kind for kind in KINDS if audits[kind]["temporal"]] == ["global_temporal"]
    assert audits["global_temporal"]["train_share_after_first_test"] == 0
    assert {kind: audits[kind]["time_order"] for kind in KINDS} == {
        "global_temporal": "global",
        "user_temporal": "per user",
        "leave_last_out": "per user",
        "random": "none",
        "user_random": "none",
        "kfold": "none",
        "user_kfold": "none",
    }
    parts = audits["global_temporal"]["parts"]
    cut = audits["global_temporal"]["instants"]
    assert parts["train"]["last_time"] < cut["validation"] <= parts["validation"]["first_time"]
    assert parts["validation"]["last_time"] < cut["test"] <= parts["test"]["first_time"]


def test_one_users_own_order_is_an_order_of_all() -> None:
    ratings = log([(1, item, 3.0, 100 + item) for item in range(10)])
    facts = audited(ratings, SplitConfig(kind="user_temporal"))[1]
    assert (facts["time_order"], facts["temporal"]) == ("global", True)


def test_without_timestamps() -> None:
    config = SplitConfig(kind="random")
    parts, facts, _ = audited(big().drop(columns="timestamp"), config)
    assert facts["parts"]["train"]["first_time"] is None
    assert facts["train_share_after_first_test"] is None
    verify_audit(parts, facts, config)


def test_empty_validation() -> None:
    config = SplitConfig(kind="kfold", validation_share=0)
    parts, facts, _ = audited(big(), config)
    assert facts["parts"]["validation"]["rows"] == 0
    assert facts["cold"]["validation"]["rows"] == 0
    verify_audit(parts, json.loads(json.dumps(facts)), config)


def move_row(parts: Parts) -> Parts:
    test = parts.test
    train = pd.concat([parts.train, test.tail(1)], ignore_index=True)
    return replace(parts, train=train, test=test.iloc[:-1])


def drop_row(parts: Parts) -> Parts:
    return replace(parts, train=parts.train.iloc[1:])


def copy_row(parts: Parts) -> Parts:
    return replace(parts, test=pd.concat([parts.test, parts.train.head(1)]))


def repeat_row(parts: Parts) -> Parts:
    return replace(parts, train=pd.concat([parts.train, parts.train.tail(1)]))


def change_rating(parts: Parts) -> Parts:
    return replace(parts, test=parts.test.assign(rating=6 - parts.test.rating))


def swap_rows(parts: Parts) -> Parts:
    return replace(parts, validation=parts.validation.iloc[::-1])


@pytest.mark.parametrize(
    ("kind", "tamper", "words"),
    [
        ("random", move_row, r"parts\.train\.rows: recorded 480, found 481.*parts\.test\.rows"),
        ("global_temporal", move_row, "train holds a row at .* but validation begins at"),
        ("global_temporal", drop_row, r"parts\.train\.rows: recorded 480, found 479"),
        ("user_temporal", copy_row, "pairs in two parts of the split: train and test 1$"),
        ("random", repeat_row, "pairs twice in a part of the split: train 2 rows$"),
        ("random", change_rating, r"audit: parts\.test\.sha256: recorded \w+, found \w+$"),
        ("random", swap_rows, r"audit: parts\.validation\.sha256"),
    ],
)
def test_tampered_parts_are_named(kind: Kind, tamper: Callable[[Parts], Parts], words: str) -> None:
    config = SplitConfig(kind=kind)
    parts, recorded, _ = audited(big(), config)
    with pytest.raises(LeakError, match=words):
        verify_audit(tamper(parts), recorded, config)


def test_a_test_row_before_the_cut() -> None:
    parts, recorded, cut = audited(big(), SplitConfig())
    assert cut is not None
    early = parts.test.assign(timestamp=parts.test.timestamp.where(parts.test.index > 0, 0))
    with pytest.raises(LeakError, match=r"test holds a row at 0 .* but it begins at"):
        verify_audit(replace(parts, test=early), recorded, SplitConfig())


def test_a_tampered_record_is_named() -> None:
    config = SplitConfig(kind="user_random")
    parts, recorded, _ = audited(big(), config)
    wrong = json.loads(json.dumps(recorded))
    wrong["cold"]["test"]["users"] += 3
    wrong["extra"] = 1
    del wrong["overlap"]
    with pytest.raises(LeakError) as error:
        verify_audit(parts, wrong, config)
    message = str(error.value)
    assert "cold.test.users: recorded 3, found 0" in message
    assert "extra: recorded 1, found nothing" in message
    assert "overlap.train and test: recorded nothing, found 0" in message


def test_a_record_of_another_kind_is_named() -> None:
    parts, recorded, _ = audited(big(), SplitConfig(kind="user_random"))
    with pytest.raises(LeakError, match="kind: recorded user_random, found random"):
        verify_audit(parts, recorded, SplitConfig(kind="random"))


def test_a_record_of_another_policy_is_named() -> None:
    parts, recorded, _ = audited(big(), SplitConfig())
    with pytest.raises(LeakError, match=r"settled by last, but split.duplicates is mean"):
        verify_audit(parts, recorded, SplitConfig(duplicates="mean"))


@pytest.mark.parametrize("kind", PROMISED)
def test_swapped_parts_fail_whatever_the_record_says(kind: Kind) -> None:
    config = SplitConfig(kind=kind)
    parts, recorded, cut = audited(big(), config)
    swapped = Parts(train=parts.test, validation=parts.validation, test=parts.train)
    with pytest.raises(LeakError, match=r"holds a row at .*\(user \d+, item \d+\)"):
        audit(swapped, cut, config, recorded["duplicates"])
    facts = {**recorded["parts"], "train": recorded["parts"]["test"]}
    with pytest.raises(LeakError, match=r"holds a row at .*\(user \d+, item \d+\)"):
        verify_audit(swapped, {**recorded, "parts": facts}, config)


def test_an_incomplete_record_is_refused() -> None:
    parts, _, _ = audited(big(), SplitConfig())
    with pytest.raises(DataError, match="no instants, duplicates"):
        verify_audit(parts, {"kind": "global_temporal"}, SplitConfig())


@pytest.mark.parametrize("string_ids", [False, True])
def test_a_parts_hash_is_that_of_a_table(string_ids: bool) -> None:
    table = log([(1, 2, 1.0, 1), (10, 3, 2.5, 2)], string_ids)
    noted = table.astype({"rating": "float32"}).assign(note="x")
    assert content_sha256(noted) == table_sha256(table)


def test_content_hash_sees_ids_order_and_values_but_not_column_types() -> None:
    table = log([("a", "bc", 1.0, 1), ("b", "c", 2.0, 2)], string_ids=True)
    same = table.astype({"user_id": object, "rating": "float32"})
    assert content_sha256(table) == content_sha256(same)
    others = [
        table.iloc[::-1],
        table.assign(timestamp=[1, 3]),
        table.assign(item_id=["b", "cc"]),  # the same letters, cut elsewhere
        table.drop(columns="timestamp"),
    ]
    assert len({content_sha256(other) for other in [table, *others]}) == 5


def test_weights_are_hashed_and_their_effective_rows_stated() -> None:
    plain = big()
    weight = np.ones(len(plain))
    weight[: len(plain) // 2] = 3.0
    facts = {}
    for name, table in {"plain": plain, "weighted": plain.assign(weight=weight)}.items():
        config = SplitConfig(kind="random")
        parts, report = split_ratings(table, config, None)
        facts[name] = audit(parts, None, config, report["duplicates"])["parts"]["train"]
        if name == "weighted":
            w = parts.train.weight.to_numpy()
            assert facts[name]["effective_rows"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert "effective_rows" not in facts["plain"]
    assert facts["plain"]["sha256"] != facts["weighted"]["sha256"]
