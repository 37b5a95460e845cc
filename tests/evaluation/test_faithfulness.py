from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, USER
from cofilter.core.parts import Parts
from cofilter.evaluation import faithfulness as faithful
from cofilter.evaluation.faithfulness import COLUMNS, Explained, faithfulness
from cofilter.models.baseline.model import GlobalMean, Popularity
from cofilter.models.ease.model import EASE
from cofilter.models.knn.model import ItemKNN, UserKNN
from cofilter.recommender.base import Recommender
from tests.evaluation.conftest import make_audited, make_config, make_ratings, make_split
from tests.models.knn.test_model import config as knn_config

SCALE = (0.5, 5.0)


@pytest.fixture(scope="module")
def long() -> Parts:
    """A log whose users have some 25 ratings each."""
    return make_audited(make_ratings(n_users=40, n_items=90), make_split())[0]


def test_users_are_drawn_by_seed_among_those_with_enough_history(long: Parts) -> None:
    before = pd.concat([long.train, long.validation])
    counts = before[USER].value_counts()
    warm = set(long.test[USER]) & set(long.train[USER])
    able = {user for user in warm if faithful.FEWEST <= counts[user] <= faithful.MOST}
    everybody = Explained.of(long, make_config(explained_users=1_000)).history
    assert set(everybody[USER]) == able
    assert len(able) > 8
    rows = [frame[[USER, ITEM]].sort_values([USER, ITEM]) for frame in (everybody, before)]
    assert rows[0].to_numpy().tolist() == rows[1][rows[1][USER].isin(able)].to_numpy().tolist()
    some = [Explained.of(long, make_config(explained_users=5)).history for _ in range(2)]
    assert some[0].equals(some[1])
    assert some[0][USER].nunique() == 5
    assert not (some[0].groupby(USER)[ITEM].diff().dropna() > 0).all()  # in random order


def without(model: Recommender, own: pd.DataFrame, removed: list[int], item: int) -> int:
    """Items before ``item`` in the list of somebody with the rest of a history."""
    rest = model.fold_in(own[~own[ITEM].isin(removed)], own[USER].iloc[:1])
    items, _ = model.recommend(rest, 1_000, exclude=own)
    return items[0].tolist().index(item)


@pytest.mark.parametrize(
    "model",
    [
        EASE(kind="rating", l2=2.0, scale=SCALE),
        ItemKNN(knn_config(scale=SCALE, k=30, similarity="cosine")),
        UserKNN(knn_config(scale=SCALE, similarity="msd")),
    ],
    ids=lambda model: type(model).__name__,
)
def test_it_is_what_one_finds_by_hand(model: Recommender, long: Parts) -> None:
    config = make_config(explained_users=8, k=(2, 5), primary="ndcg@2")
    explained = Explained.of(long, config)
    model.fit(long.train)
    falls, random_falls, removed = [], [], []
    for _, own in explained.history.groupby(USER):
        known = own[own[ITEM].isin(long.train[ITEM])]
        person = model.fold_in(own)
        item = model.recommend(person, 1)[0][0, 0]
        reasons, shares = (part[0] for part in model.explain(person, item, 20))
        reasons = reasons[shares > 0].tolist()
        assert reasons
        others = [each for each in own[ITEM] if each not in reasons[:3]]
        assert set(reasons) <= set(known[ITEM])
        falls.append(without(model, own, reasons[:3], item))
        random_falls.append(without(model, own, others[: min(3, len(reasons))], item))
        places = [without(model, own, reasons[: n + 1], item) for n in range(len(reasons))]
        removed.append(next((n + 1 for n, place in enumerate(places) if place >= 2), np.nan))
    (row,) = faithfulness(model, explained, config).to_dict("records")
    assert row["shares"] == ("removal" if isinstance(model, UserKNN) else "exact")
    assert (row["users"], row["unexplained"]) == (8, 0)
    assert row["fall"] == np.mean(falls)
    assert row["random_fall"] == np.mean(random_falls)
    assert row["difference"] == np.mean(falls) - np.mean(random_falls)
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert row["not_found"] == np.isnan(removed).sum()
    assert row["removed"] == pytest.approx(np.nanmean(removed))
    assert max(falls) > 0


def test_who_cannot_be_asked_has_no_row(long: Parts) -> None:
    config = make_config()
    explained = Explained.of(long, config)
    for model in (Popularity(), GlobalMean()):
        table = faithfulness(model.fit(long.train), explained, config)
        assert list(table) == list(COLUMNS[2:])
        assert table.empty
    ease = EASE(kind="binary").fit(long.train)
    nobody = make_config(explained_users=0)
    assert faithfulness(ease, Explained.of(long, nobody), nobody).empty
    assert len(faithfulness(ease, explained, config)) == 1


def test_a_user_without_reasons_is_counted(long: Parts) -> None:
    """All that one user has rated is unknown to the model."""
    config = make_config(explained_users=6)
    explained = Explained.of(long, config)
    user = explained.history[USER].iloc[0]
    items = explained.history[ITEM].where(
        explained.history[USER] != user, explained.history[ITEM] + 50_000
    )
    explained = Explained(explained.history.assign(**{ITEM: items}))
    model = EASE(kind="binary").fit(long.train)
    (row,) = faithfulness(model, explained, config).to_dict("records")
    assert (row["users"], row["unexplained"]) == (5, 1)
    only = Explained(explained.history[explained.history[USER] == user])
    (row,) = faithfulness(model, only, config).to_dict("records")
    assert (row["users"], row["unexplained"], row["not_found"]) == (0, 1, 0)
    assert np.isnan([row["fall"], row["difference_low"], row["removed"]]).all()
