from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, USER
from cofilter.core.parts import Parts
from cofilter.evaluation import faithfulness as faithful
from cofilter.evaluation.config import EvaluateConfig, FaithfulnessConfig
from cofilter.evaluation.faithfulness import Explained, Faithfulness, faithfulness, work_of
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


def of_users(n: int, work: float = 1e12, **changed: object) -> EvaluateConfig:
    return make_config(faithfulness=FaithfulnessConfig(max_users=n, work=work), **changed)


def measured(model: Recommender, explained: Explained, config: EvaluateConfig) -> Faithfulness:
    found = faithfulness(model, explained, config)
    assert found is not None
    return found


def test_users_are_drawn_by_seed_among_those_with_enough_history(long: Parts) -> None:
    before = pd.concat([long.train, long.validation])
    counts = before[USER].value_counts()
    warm = set(long.test[USER]) & set(long.train[USER])
    able = {user for user in warm if faithful.FEWEST <= counts[user] <= faithful.MOST}
    everybody = Explained.of(long, of_users(1_000)).history
    assert set(everybody[USER]) == able
    assert len(able) > 8
    rows = [frame[[USER, ITEM]].sort_values([USER, ITEM]) for frame in (everybody, before)]
    assert rows[0].to_numpy().tolist() == rows[1][rows[1][USER].isin(able)].to_numpy().tolist()
    some = [Explained.of(long, of_users(5)).history for _ in range(2)]
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
    config = of_users(8, k=(2, 5), primary="ndcg@2")
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
    found = measured(model, explained, config)
    assert found.shares == ("removal" if isinstance(model, UserKNN) else "exact")
    assert (found.explained_users, found.unexplained_users) == (8, 0)
    assert found.fall == np.mean(falls)
    assert found.random_fall == np.mean(random_falls)
    assert found.fall_difference == np.mean(falls) - np.mean(random_falls)
    assert found.fall_difference_low <= found.fall_difference <= found.fall_difference_high
    assert found.not_found == np.isnan(removed).sum()
    median = np.median(np.nan_to_num(removed, nan=np.inf))
    assert found.removed == (median if np.isfinite(median) else None)
    assert max(falls) > 0


def test_a_model_that_takes_more_is_measured_on_the_first_users_of_the_draw(long: Parts) -> None:
    explained = Explained.of(long, of_users(1_000))
    model = EASE(kind="binary").fit(long.train)
    lengths = explained.history[USER].value_counts()
    work = [work_of(model, lengths[user]) for user in explained.users]
    some = explained.within(model, sum(work[:5]))
    assert set(some[USER]) == set(explained.users[:5])
    assert set(explained.within(model, sum(work[:5]) - 1)[USER]) == set(explained.users[:4])
    assert set(explained.within(model, 1.0)[USER]) == set(explained.users[: faithful.AT_LEAST])
    slow = UserKNN(knn_config(scale=SCALE, similarity="msd")).fit(long.train)
    n = int(lengths.iloc[0])
    assert work_of(slow, n) / slow.folding_work(n) == min(n, 20) + 2 + n + 1  # by removal
    assert work_of(model, n) / model.folding_work(n) == min(n, 20) + 2
    assert measured(model, explained, of_users(1_000, work=1.0)).explained_users == 3


def test_who_cannot_be_asked_has_no_figures(long: Parts) -> None:
    config = make_config()
    explained = Explained.of(long, config)
    for model in (Popularity(), GlobalMean()):
        assert faithfulness(model.fit(long.train), explained, config) is None
    ease = EASE(kind="binary").fit(long.train)
    nobody = of_users(0)
    assert faithfulness(ease, Explained.of(long, nobody), nobody) is None
    assert measured(ease, explained, config).explained_users > 0


def test_a_user_without_reasons_is_counted(long: Parts) -> None:
    """All that one user has rated is unknown to the model."""
    config = of_users(6)
    explained = Explained.of(long, config)
    user = explained.history[USER].iloc[0]
    items = explained.history[ITEM].where(
        explained.history[USER] != user, explained.history[ITEM] + 50_000
    )
    explained = Explained(explained.users, explained.history.assign(**{ITEM: items}))
    model = EASE(kind="binary").fit(long.train)
    found = measured(model, explained, config)
    assert (found.explained_users, found.unexplained_users) == (5, 1)
    only = Explained(np.array([user]), explained.history[explained.history[USER] == user])
    found = measured(model, only, config)
    assert (found.explained_users, found.unexplained_users, found.not_found) == (0, 1, 0)
    assert (found.fall, found.fall_difference_low, found.removed) == (None, None, None)
