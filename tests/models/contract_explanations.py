"""What every model's explanations keep to; a part of `ModelContract`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import BECAUSE, ITEM, RANK, SHARE, USER
from cofilter.core.errors import CapabilityError, DataError
from cofilter.core.matrix import UNKNOWN
from cofilter.models.knn.model import UserKNN
from cofilter.recommender import explanations, removal
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People, UserRows
from cofilter.recommender.sparse import ItemLists

NEW = 77  # a person's id that no table of these tests has
USERS = [0, 30, 210]


def own_scores(model: Recommender, person: People, excluded: np.ndarray) -> np.ndarray:
    """A person's ranking scores float64[items] where lists may not hold ``excluded``.

    −inf for what is excluded and what only popularity would give.
    """
    left_out = ItemLists(np.array([0, len(excluded)]), np.sort(excluded))
    rows = UserRows(person.state, person.bias, np.array([UNKNOWN]))
    listed = model._best(rows, person.ids, left_out, len(model.items_))
    items, best = (part[0] for part in model._in_ratings(*listed))
    scores = np.full(len(model.items_), -np.inf)
    scores[items[items != UNKNOWN]] = best[items != UNKNOWN]
    return scores


class ExplanationContract:
    """Which ratings carried an item; classes whose shares are exact say their `constant`."""

    fit: Callable[[pd.DataFrame], Recommender]
    fit_with: Callable[..., Recommender]

    def constant(self, model: Recommender, person: People) -> np.ndarray | float | None:
        """What shares leave of a person's scores, float[items]; None: they are by removal."""
        return None

    def explained(self, model: Recommender, table: pd.DataFrame) -> list[np.ndarray]:
        users, items = np.meshgrid([*USERS, -5], [*table[ITEM].unique(), 9_999])
        return list(model.explain(users.ravel(), items.ravel(), 5))

    def test_explanations_are_saved(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        if not (model.ranks and model.explains):
            with pytest.raises(CapabilityError, match=f"{type(model).__name__} .*to explain"):
                model.explain(USERS[0], table[ITEM].iloc[0])
            return
        before = self.explained(model, table)
        assert (before[1] != 0).any()
        for mapped in (False, True):
            model.save(tmp_path / str(mapped), mapped=mapped)
            loaded = cofilter.load(tmp_path / str(mapped))
            after = self.explained(loaded, table)
            assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))

    def test_reasons_are_the_user_s_own_ratings_largest_first(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not (model.ranks and model.explains):
            return
        items = table[ITEM].unique()
        for user in USERS:
            rated = set(table[table[USER] == user][ITEM])
            reasons, shares = model.explain(user, items, 1_000)
            assert reasons.shape == shares.shape == (len(items), len(items))
            assert shares.dtype == np.float32
            for row, values in zip(reasons, shares, strict=True):
                given = row >= 0
                assert (values[given] != 0).all()
                assert not given[given.sum() :].any()
                assert not values[given.sum() :].any()
                assert set(row[given]) <= rated
                order = sorted(zip(-values[given], row[given], strict=True))
                assert [item for _, item in order] == row[given].tolist()
            few, most = model.explain(user, items, 2)
            assert np.array_equal(few, reasons[:, :2])
            assert np.array_equal(most, shares[:, :2])

    def test_people_have_the_reasons_of_known_users(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not (model.ranks and model.explains) or isinstance(model, UserKNN):
            return  # a person is beside the known user among the neighbours
        history = table[table[USER].isin(USERS)]
        people = model.fold_in(history.sample(frac=1, random_state=0))
        items = table[ITEM].unique()[:4]
        for user in USERS:
            known, same = (
                model.explain(each, items, 20, as_frame=True).set_index([ITEM, BECAUSE])[SHARE]
                for each in (user, people.take([user]))
            )
            largest = known.abs().max()
            both = pd.concat([known, same], axis=1).fillna(0.0)
            np.testing.assert_allclose(
                both.iloc[:, 0], both.iloc[:, 1], rtol=1e-4, atol=1e-5 * largest
            )

    def test_shares_sum_to_the_score_or_are_what_removal_takes_away(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not (model.ranks and model.explains):
            return
        history = table[table[USER] == USERS[1]].assign(**{USER: NEW})
        rated = model.items_.index(history[ITEM])
        free = np.setdiff1d(np.arange(len(model.items_)), rated)
        person = model.fold_in(history)
        reasons, shares = model.explain(person, model.items_.ids[free], 20)
        whole = own_scores(model, person, rated)
        said = np.isfinite(whole)
        near = {"rtol": 1e-4, "atol": 1e-5 * np.abs(whole[said]).max()}
        constant = self.constant(model, person)
        assert (constant is not None) == model.shares_are_exact
        if constant is not None:
            expected = np.where(said, whole - constant, 0.0)[free]
            np.testing.assert_allclose(shares.sum(axis=1), expected, **near)
            return
        for each in history[ITEM]:
            rest = model.fold_in(history[history[ITEM] != each])
            without = own_scores(model, rest, rated)
            without[np.isneginf(without)] = 0.0
            share = np.where(said, whole - without, 0.0)[free]
            found = np.where(reasons == each, shares, 0.0).sum(axis=1)
            np.testing.assert_allclose(found, share, **near)

    def test_blocks_change_nothing(
        self, model: Recommender, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not (model.ranks and model.explains):
            return
        pairs = [USERS[0]] * 5 + [USERS[1]], [*table[ITEM].unique()[:5], table[ITEM].iloc[0]]
        whole = model.explain(*pairs, 20)
        monkeypatch.setattr(removal, "BLOCK_RATINGS", 60)  # about half of what is folded in
        monkeypatch.setattr(explanations, "BLOCK_ENTRIES", 60)  # three pairs
        blocks = model.explain(*pairs, 20)
        assert np.array_equal(np.sort(blocks[0]), np.sort(whole[0]))
        np.testing.assert_allclose(blocks[1], whole[1], rtol=1e-4, atol=1e-5)

    def test_who_has_no_reasons(self, model: Recommender, table: pd.DataFrame) -> None:
        if not (model.ranks and model.explains):
            return
        user, item = USERS[0], table[ITEM].iloc[0]
        stranger = table.head(1).assign(**{USER: NEW, ITEM: 9_999})  # knows no known item
        for users, items in ((-5, item), (user, 9_999), (model.fold_in(stranger), item)):
            reasons, shares = model.explain(users, items)
            assert reasons.tolist() == [[-1] * 3]
            assert shares.tolist() == [[0.0] * 3]
            assert not len(model.explain(users, items, as_frame=True))
        assert model.explain([], [])[0].shape == (0, 3)

    def test_a_table_of_reasons_holds_the_lists(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not (model.ranks and model.explains):
            return
        users, items = model.users_.ids[[5, 2]], table[ITEM].unique()[[3, 1]]
        reasons, shares = model.explain(users, items, 30)
        frame = model.explain(users, items, 30, as_frame=True)
        assert list(frame) == [USER, ITEM, BECAUSE, RANK, SHARE]
        pair, place = np.nonzero(reasons >= 0)
        assert frame[USER].tolist() == users[pair].tolist()
        assert frame[ITEM].tolist() == items[pair].tolist()
        assert frame[BECAUSE].tolist() == reasons[pair, place].tolist()
        assert frame[RANK].tolist() == (place + 1).tolist()
        assert frame[SHARE].tolist() == shares[pair, place].tolist()

    def test_without_histories_it_says_so(self, table: pd.DataFrame) -> None:
        model = self.fit_with(table, keep_seen=False)
        if not (model.ranks and model.explains):
            return
        for user in (USERS[0], -5):
            with pytest.raises(CapabilityError, match=r"keep_seen=False.*pass People"):
                model.explain(user, table[ITEM].iloc[0])
        people = model.fold_in(table.head(5).assign(**{USER: NEW}))
        assert (model.explain(people, table[ITEM].unique())[0] >= 0).any()

    def test_reasons_of_string_ids(self, table: pd.DataFrame) -> None:
        named = table.assign(**{column: "0" + table[column].astype(str) for column in (USER, ITEM)})
        model = self.fit(named)
        if not (model.ranks and model.explains):
            return
        reasons, _ = model.explain("00", named[ITEM].unique(), 20)
        assert set(reasons.ravel()) <= {*named[named[USER] == "00"][ITEM], ""}
        assert (reasons != "").any()
        assert (reasons[:, -1] == "").all()

    @pytest.mark.parametrize("n", [0, True, "3", None], ids=str)
    def test_numbers_of_reasons_that_are_none_are_refused(
        self, n: Any, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not (model.ranks and model.explains):
            return
        with pytest.raises(DataError, match=r"^n: .* at least 1 is expected"):
            model.explain(USERS[0], table[ITEM].iloc[0], n)
        with pytest.raises(DataError, match="2 users but 3 items"):
            model.explain(USERS[:2], table[ITEM].unique()[:3])
