"""What models that are fitted in epochs share, beyond `ModelContract`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter.recommender.iterative as iterative
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import DataError
from cofilter.metrics.ranking import at_k
from cofilter.models.als.model import ImplicitALS
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.recommender.learner import Learner, Task, Trained
from tests.models.contract import ratings_table


class Keeping:
    """A trainer that keeps the task and trains for an epoch."""

    def run(self, learner: Learner, task: Task) -> Trained:
        self.task = task
        learner.run_epoch(1, lambda n: None)
        return Trained(learner.parameters(), 1, [])


def parts(n_users: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = ratings_table(n_users, 20)
    held_out = table.sample(frac=1, random_state=0).groupby(USER).head(3)
    return table.drop(held_out.index), held_out


def watched_users(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], float]:
    """Ids that the watch ranks after an epoch, and the NDCG that it gives."""
    train, held_out = parts()
    model, trainer, ranked = ImplicitALS(dim=4, epochs=1), Keeping(), []
    rank = model.rank

    def noted(users: Any, *rest: Any, **options: Any) -> Any:
        ranked.extend(np.asarray(users).tolist())
        return rank(users, *rest, **options)

    monkeypatch.setattr(model, "rank", noted)
    model.fit(train, held_out, trainer)
    assert trainer.task.monitor is not None
    found = trainer.task.monitor({"user": model.user_, "item": model.item_})
    assert list(found) == ["ndcg@10"]
    return ranked, found["ndcg@10"]


def expected_ndcg(users: list[int]) -> float:
    """By hand: unseen items of train ranked, every held-out one relevant."""
    train, held_out = parts()
    model = ImplicitALS(dim=4, epochs=1).fit(train)
    values = []
    for user in users:
        items, _ = model.recommend(user, 10)
        relevant = held_out[held_out[USER] == user][ITEM]
        hits = np.isin(items, relevant[relevant.isin(train[ITEM])])
        values.append(at_k(hits, np.array([len(relevant)]), 10)["ndcg"][0])
    return float(np.mean(values))


def test_few_validation_users_are_all_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    users, ndcg = watched_users(monkeypatch)
    assert users == np.unique(parts()[1][USER]).tolist()
    assert ndcg == pytest.approx(expected_ndcg(users))


def test_of_many_validation_users_a_sample_is_watched_not_the_lowest_ids(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Low ids are often the oldest accounts."""
    monkeypatch.setattr(iterative, "WATCHED_USERS", 15)
    everybody = np.unique(parts()[1][USER])
    users, ndcg = watched_users(monkeypatch)
    assert len(users) == 15
    assert users == sorted(set(users))
    assert set(users) < set(everybody)
    assert users[-1] > everybody[40]  # they reach over the whole range of ids
    assert users[7] > everybody[14]
    assert ndcg == pytest.approx(expected_ndcg(users))
    assert watched_users(monkeypatch) == (users, ndcg)  # always the same ones


def test_validation_ratings_are_checked_as_training_ratings_are() -> None:
    train, held_out = parts()
    model = MatrixFactorization(dim=2, epochs=1)
    twice = held_out[held_out[USER] == 0].head(1)
    with pytest.raises(DataError, match=r"MatrixFactorization, validation: .* got nan"):
        model.fit(train, held_out.assign(**{RATING: np.float32("nan")}))
    with pytest.raises(DataError, match=r"MatrixFactorization, validation: .*several of user 0 "):
        model.fit(train, pd.concat([held_out, twice]))


def test_a_model_fits_without_a_trainer_as_with_one() -> None:
    train, held_out = parts()
    one = MatrixFactorization(dim=3, epochs=5, patience=2).fit(train, held_out)
    assert 1 <= one.epochs_ <= len(one.history_) <= 5
    watched = [row["rmse"] for row in one.history_]
    assert one.epochs_ == 1 + int(np.argmin(watched))
    again = one.for_refit().fit(train)
    assert len(again.history_) == one.epochs_
    assert np.array_equal(again.user_, one.user_)
