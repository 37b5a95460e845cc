from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.evaluation.examples import examples
from cofilter.models.baseline.model import GlobalMean, Popularity
from cofilter.models.ease.model import EASE
from cofilter.scoring.target import Target
from tests.evaluation.conftest import Audited

THRESHOLD, K = 2.0, 8


def test_the_users_are_nobody_s_choice_and_the_lists_those_that_are_scored(
    audited: Audited,
) -> None:
    parts, _ = audited
    model = Popularity().fit(parts.train)
    target = Target.of(parts.train, parts.validation, parts.test, THRESHOLD, (0.5, 5.0))
    titles = pd.Series({item: f"Film {item}" for item in parts.train[ITEM].unique()[1:]})
    found = examples(model, parts, target, K, titles)

    before = pd.concat([parts.train, parts.validation])
    liked = parts.test[(parts.test[RATING] >= THRESHOLD) & parts.test[ITEM].isin(parts.train[ITEM])]
    able = sorted(
        set(liked[USER]) & set(parts.train[USER]),
        key=lambda user: ((before[USER] == user).sum(), user),
    )
    assert len(able) > 3
    assert [one["user"] for one in found] == [able[len(able) * at // 6] for at in (1, 3, 5)]
    counts = parts.train[ITEM].value_counts()
    for one in found:
        own = before[before[USER] == one["user"]]
        assert one["n_before"] == len(own)
        rated = [row["rating"] for row in one["had"]]
        assert rated == sorted(own[RATING], reverse=True)[:5]
        fresh = counts[~counts.index.isin(own[ITEM])]
        shown = [row["item"] for row in one["shown"]]
        assert [counts[item] for item in shown] == sorted(fresh, reverse=True)[:K]
        theirs = set(liked.loc[liked[USER] == one["user"], ITEM])
        assert [row["relevant"] for row in one["shown"]] == [item in theirs for item in shown]
        assert all(row["title"] == titles.get(row["item"]) for row in one["shown"] + one["had"])
    assert any(row["relevant"] for one in found for row in one["shown"])


def test_each_recommendation_has_its_first_reason(audited: Audited) -> None:
    parts, _ = audited
    target = Target.of(parts.train, parts.validation, parts.test, THRESHOLD, (0.5, 5.0))
    titles = pd.Series({item: f"Film {item}" for item in parts.train[ITEM].unique()})
    model = EASE(kind="binary").fit(parts.train)
    found = examples(model, parts, target, K, titles)
    assert found
    for one in found:
        items = [row["item"] for row in one["shown"]]
        reasons, shares = model.explain(one["user"], items, 1)
        expected = [
            {"item": reason, "title": titles[reason]} if share > 0 else None
            for reason, share in zip(reasons[:, 0].tolist(), shares[:, 0], strict=True)
        ]
        assert [row["because"] for row in one["shown"]] == expected
        assert any(expected)
    for other in (Popularity(), EASE(kind="binary", keep_seen=False)):
        shown = examples(other.fit(parts.train), parts, target, K, titles)[0]["shown"]
        assert {row["because"] for row in shown} == {None}


def test_nobody_is_shown_where_nothing_is_ranked(audited: Audited) -> None:
    parts, _ = audited
    target = Target.of(parts.train, parts.validation, parts.test, THRESHOLD, (0.5, 5.0))
    assert examples(GlobalMean().fit(parts.train), parts, target, K, None) == []
    nothing = Target.of(parts.train, parts.validation, parts.test, np.inf, (0.5, 5.0))
    assert examples(Popularity().fit(parts.train), parts, nothing, K, None) == []


def test_one_user_is_shown_once(audited: Audited) -> None:
    parts, _ = audited
    user = parts.train[USER].mode()[0]
    alone = pd.DataFrame({USER: [user], ITEM: parts.train[ITEM].iloc[:1], RATING: [5.0]})
    target = Target.of(parts.train, None, alone, THRESHOLD, (0.5, 5.0))
    (one,) = examples(Popularity().fit(parts.train), parts, target, K, None)
    assert one["user"] == user
    assert {row["title"] for row in one["shown"]} == {None}
