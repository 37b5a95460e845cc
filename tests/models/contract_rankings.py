"""What every model's rankings keep to; a part of `ModelContract`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter
import cofilter.recommender.rankings as rankings
from cofilter.core.columns import ITEM, RANK, SCORE, USER
from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import UNKNOWN
from cofilter.recommender.base import Recommender

NEW = 77  # a person's id that no table of these tests has


def lists(model: Recommender, users: Any, k: int, **options: Any) -> list[list[Any]]:
    """Items of each list, and its scores, as comparable values."""
    return [part.tolist() for part in model.recommend(users, k, **options)]


class RankingContract:
    """Seen items, tables, and where popularity answers."""

    fit: Callable[[pd.DataFrame], Recommender]
    fit_with: Callable[..., Recommender]

    def test_what_somebody_has_rated_is_not_recommended(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        users, n_items = table[USER].unique(), table[ITEM].nunique()
        seen = table.groupby(USER)[ITEM].agg(set)
        renamed = table.assign(**{USER: table[USER] + 1})
        everybody = set(table[ITEM])
        for given in (users, model.fold_in(renamed)):
            items, scores = model.recommend(given, n_items)
            for rated, row, values in zip(seen, items, scores, strict=True):
                assert set(row[np.isfinite(values)]) == everybody - rated
        rated, other = table[table[USER] == users[0]][ITEM], table[table[USER] == users[1]]
        further = other[~other[ITEM].isin(rated)].assign(**{USER: users[0]})
        items, scores = model.recommend(users[0], n_items, exclude=further)
        assert set(items[np.isfinite(scores)]) == everybody - set(rated) - set(further[ITEM])

    def test_a_folded_in_person_is_not_given_the_item_just_rated(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        alone = table.head(1).assign(**{USER: NEW})
        items, _ = model.recommend(model.fold_in(alone), 1_000)
        assert table[ITEM].iloc[0] not in items[0]
        assert (items[0][:-1] >= 0).all()

    def test_with_seen_items_it_gives_what_rank_gives(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        users = np.r_[table[USER].unique(), -5]
        for given in (users, model.fold_in(table)):
            index, best = model.rank(given, 7)
            assert (index >= 0).all()
            items, scores = model.recommend(given, 7, exclude_seen=False)
            assert np.array_equal(items, model.items_.ids[index])
            assert np.array_equal(scores, best)

    def test_without_what_users_have_seen_it_says_so(self, table: pd.DataFrame) -> None:
        model = self.fit_with(table, keep_seen=False)
        if not model.ranks:
            return
        for users in ([table[USER].iloc[0]], [-5]):
            with pytest.raises(CapabilityError, match=r"keep_seen=False.*exclude_seen=False"):
                model.recommend(users, 3)
        assert len(model.recommend([0], 3, exclude_seen=False)[0]) == 1
        people = model.fold_in(table.head(3).assign(**{USER: NEW}))  # who are known by heart
        assert not set(model.recommend(people, 1_000)[0][0]) & set(table[ITEM].head(3))

    def test_seen_items_are_saved(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        if not model.ranks:
            return
        users = np.r_[table[USER].unique(), -5]
        model.save(tmp_path / "kept")
        model.save(tmp_path / "mapped", mapped=True)
        for kept in ("kept", "mapped"):
            assert lists(cofilter.load(tmp_path / kept), users, 9) == lists(model, users, 9)
        self.fit_with(table, keep_seen=False).save(tmp_path / "not kept")
        with pytest.raises(CapabilityError, match="keep_seen=False"):
            cofilter.load(tmp_path / "not kept").recommend(users, 9)

    def test_a_table_of_recommendations_holds_the_lists(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        users = np.r_[table[USER].unique()[::-1], -5]
        for given, ids in ((users, users), (model.fold_in(table), np.unique(table[USER]))):
            items, scores = model.recommend(given, 15)
            frame = model.recommend(given, 15, as_frame=True)
            assert list(frame) == [USER, ITEM, RANK, SCORE]
            assert frame.index.tolist() == list(range(len(frame)))
            row, place = np.nonzero(items >= 0)
            assert len(row) < items.size  # some users have fewer than 15 candidates
            assert frame[USER].tolist() == ids[row].tolist()
            assert frame[ITEM].tolist() == items[row, place].tolist()
            assert frame[RANK].tolist() == (place + 1).tolist()
            assert frame[SCORE].tolist() == scores[row, place].tolist()

    def test_it_says_of_whom_it_has_a_ranking_of_its_own(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        users = np.r_[-5, table[USER].unique(), -6]
        n_items = len(model.items_)
        items, scores, fallback = model.rank(users, n_items, return_fallback=True)
        assert fallback[[0, -1]].all()
        assert not fallback.all()
        popular = np.argsort(-model.popularity_, kind="stable")
        assert items[fallback].tolist() == [popular.tolist()] * int(fallback.sum())
        assert (scores[fallback] == model.popularity_[popular]).all()
        history = table[table[USER] == users[1]].assign(**{USER: NEW})
        people = model.fold_in(history, user_ids=[5])
        items, _, fallback = model.rank(people, 3, return_fallback=True)
        assert fallback.tolist() == [True, False]
        assert items[0].tolist() == popular[:3].tolist()

    def test_lists_in_blocks_are_those_of_everybody_at_once(
        self, model: Recommender, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not model.ranks:
            return
        users = np.r_[-5, table[USER].unique(), -6, table[USER].iloc[0]]
        for given in (users, model.fold_in(table, user_ids=[5])):
            whole = model.rank(given, 9, return_fallback=True)
            with monkeypatch.context() as patched:
                patched.setattr(rankings, "BLOCK_SCORES", 60)  # three users of twenty items
                blocks = model.rank(given, 9, return_fallback=True)
            assert np.array_equal(blocks[0], whole[0])
            np.testing.assert_allclose(blocks[1], whole[1], rtol=1e-5)
            assert np.array_equal(blocks[2], whole[2])

    def test_excluded_popular_items_take_no_place(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        """Also in the list of somebody unknown, who gets the most popular of the others."""
        if not model.ranks:
            return
        popular = model.items_.ids[np.argsort(-model.popularity_, kind="stable")]
        exclude = pd.DataFrame({USER: -5, ITEM: popular[[0, 2]]})
        items, _ = model.recommend([-6, -5], len(popular), exclude=exclude)
        assert items[0].tolist() == popular.tolist()
        assert items[1].tolist() == [*popular[[1]], *popular[3:], UNKNOWN, UNKNOWN]
