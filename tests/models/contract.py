"""What every model must do; each model's tests inherit `ModelContract`."""

from __future__ import annotations

import copy
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import CapabilityError, DataError
from cofilter.recommender.base import Recommender
from cofilter.recommender.folder import save
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract_explanations import ExplanationContract
from tests.models.contract_inputs import InputContract
from tests.models.contract_rankings import RankingContract
from tests.models.contract_scales import ScaleContract
from tests.models.contract_state import StateContract
from tests.models.contract_updates import UpdateContract

SCALE = (1.0, 5.0)


def ratings_table(n_users: int = 30, n_items: int = 20, seed: int = 0) -> pd.DataFrame:
    """About half of all pairs, whole stars."""
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.5)
    taste = rng.normal(size=(n_users, 2)) @ rng.normal(size=(2, n_items))
    rating = np.clip(np.rint(3 + taste[user, item]), *SCALE)
    return pd.DataFrame({USER: user * 10, ITEM: item + 100, RATING: rating.astype(np.float32)})


class ModelContract(
    ExplanationContract,
    InputContract,
    RankingContract,
    ScaleContract,
    StateContract,
    UpdateContract,
):
    """Subclasses give `make`; `fit` may be another, which takes no fixture."""

    def make(self) -> Recommender:
        raise NotImplementedError

    def fit(self, table: pd.DataFrame) -> Recommender:
        return self.make().fit(table)

    @pytest.fixture
    def table(self) -> pd.DataFrame:
        return ratings_table()

    @pytest.fixture
    def model(self, fitted_once: Recommender) -> Recommender:
        """Fitted on `table`; a test may set what it likes on it."""
        return copy.copy(fitted_once)

    def outputs(self, model: Recommender, table: pd.DataFrame) -> list[np.ndarray]:
        """Everything that a fitted model answers about known and unknown ids."""
        users, items = np.r_[table[USER].unique(), -5], np.r_[table[ITEM].unique(), 9_999]
        pairs = [array.ravel() for array in np.meshgrid(users, items)]
        found: list[np.ndarray] = []
        if model.predicts_ratings:
            found += model.predict(*pairs, return_fallback=True)
        if model.ranks:
            found += [*model.recommend(users, 7), *model.recommend(users, 7, exclude_seen=False)]
        return found

    def test_equal_fits_give_equal_bits(self, table: pd.DataFrame) -> None:
        first, second = (self.outputs(self.fit(table), table) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))

    def test_save_and_load_give_identical_answers(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        save(model, tmp_path / "model")
        loaded = cofilter.load(tmp_path / "model")
        assert type(loaded) is type(model)
        assert loaded.config == model.config
        before, after = self.outputs(model, table), self.outputs(loaded, table)
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))

    def test_saved_twice_has_equal_bytes(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        save(model, tmp_path / "one")
        save(self.fit(table), tmp_path / "two")
        for name in ("arrays.npz", "model.json"):
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

    def test_predictions_lie_on_the_scale(self, model: Recommender, table: pd.DataFrame) -> None:
        if not model.predicts_ratings:
            with pytest.raises(CapabilityError):
                model.predict(table[USER], table[ITEM])
            return
        predicted = model.predict(table[USER], table[ITEM])
        assert predicted.dtype == np.float32
        assert predicted.shape == (len(table),)
        assert np.isfinite(predicted).all()
        assert SCALE[0] <= predicted.min()
        assert predicted.max() <= SCALE[1]

    def test_it_says_how_sure_it_is_or_that_it_does_not_know(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.knows_std:
            with pytest.raises(CapabilityError, match=type(model).__name__):
                model.predict(table[USER], table[ITEM], return_std=True)
            return
        given, std = model.predict([*table[USER], -5], [*table[ITEM], 100], return_std=True)
        assert np.array_equal(given[:-1], model.predict(table[USER], table[ITEM]))
        assert (std[:-1] > 0).all()
        assert np.isnan(std[-1])

    def test_unknown_ids_get_the_documented_fallback(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.predicts_ratings:
            return
        user, item = table[USER].iloc[0], table[ITEM].iloc[0]
        given, fallback = model.predict([-5, user, -5], [item, 9_999, 9_999], return_fallback=True)
        biases = model.biases_
        at = model.users_.index([user])[0], model.items_.index([item])[0]
        expected = biases.mean + np.array([biases.item[at[1]], biases.user[at[0]], 0.0])
        assert fallback.all()
        np.testing.assert_allclose(given, np.clip(expected, *SCALE), rtol=1e-6)

    def test_unknown_user_gets_the_most_popular_items(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            with pytest.raises(CapabilityError):
                model.recommend([0])
            return
        counts = table.groupby(ITEM).size()
        popular = counts.sort_values(ascending=False, kind="stable").index[:5]
        items, scores = model.recommend([-5], 5)
        assert items[0].tolist() == popular.tolist()
        assert scores[0].tolist() == counts[popular].tolist()

    def test_recommendations_are_sorted_and_ties_go_by_item(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        items, scores = model.recommend(table[USER].unique(), 1_000, exclude_seen=False)
        assert items.shape[1] == table[ITEM].nunique()  # k larger than the catalogue
        falling = np.diff(scores) < 0
        tied_in_order = (np.diff(scores) == 0) & (np.diff(items) > 0)
        assert (falling | tied_in_order).all()

    def test_excluded_items_are_never_recommended(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        if not model.ranks:
            return
        users = table[USER].unique()
        items, scores = model.recommend(users, 1_000, exclude=table, exclude_seen=False)
        seen = table.groupby(USER)[ITEM].agg(set)
        for user, row, values in zip(users, items, scores, strict=True):
            given = row[np.isfinite(values)]
            assert set(given) == set(table[ITEM]) - seen[user]
            assert (row[~np.isfinite(values)] == -1).all()

    def test_folded_in_history_is_used_and_nobody_else_changes(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        before = self.outputs(model, table)
        history = table[table[USER] == table[USER].iloc[0]].assign(**{USER: 77})
        stranger = history.iloc[:1].assign(**{USER: 5, ITEM: 9_999})  # knows no known item
        people = model.fold_in(pd.concat([history, stranger]), user_ids=[1_000])
        assert people.ids.tolist() == [5, 77, 1_000]
        assert people.answered.tolist() == [False, True, False]
        if model.ranks:
            items, _ = model.recommend(people, 3)
            cold, _ = model.recommend([-5], 3)
            assert items[[0, 2]].tolist() == [cold[0].tolist()] * 2
        if model.predicts_ratings:
            given, fallback = model.predict(
                people.take([77, 5]), table[ITEM].iloc[[0, 0]], return_fallback=True
            )
            assert np.isfinite(given).all()
            assert fallback[1]
        after = self.outputs(model, table)
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))

    def test_nobody_is_a_defined_answer(self, model: Recommender, table: pd.DataFrame) -> None:
        people = model.fold_in(table.iloc[:0])
        assert len(people) == 0
        if model.ranks:
            assert model.recommend(people, 3)[0].shape == (0, 3)
        if model.predicts_ratings:
            assert model.predict([], []).shape == (0,)

    def test_one_user_and_one_item(self) -> None:
        table = pd.DataFrame({USER: [1], ITEM: [2], RATING: [4.0]})
        model = self.fit(table)
        if model.ranks:
            assert model.recommend([1], 3, exclude_seen=False)[0].tolist() == [[2]]
            assert model.recommend([1], 3)[0].tolist() == [[-1]]
        if model.predicts_ratings:
            assert np.isfinite(model.predict([1], [2])).all()

    @pytest.mark.parametrize("case", ["equal ratings", "a single user", "a single item"])
    def test_data_without_variety_has_finite_answers(self, case: str, table: pd.DataFrame) -> None:
        few = {
            "equal ratings": table.assign(**{RATING: np.float32(3)}),
            "a single user": table[table[USER] == table[USER].iloc[0]],
            "a single item": table[table[ITEM] == table[ITEM].iloc[0]],
        }[case]
        model = self.fit(few)
        if model.predicts_ratings:
            predicted = model.predict(few[USER], few[ITEM])
            assert np.isfinite(predicted).all()
        if model.ranks:
            items, scores = model.recommend(few[USER].unique(), 1_000, exclude_seen=False)
            assert np.isfinite(scores).all()
            assert (np.sort(items, axis=1) == np.unique(few[ITEM])).all()

    def test_string_ids_stay_what_they_are(self, table: pd.DataFrame) -> None:
        named = table.assign(**{column: "0" + table[column].astype(str) for column in (USER, ITEM)})
        model = self.fit(named)
        if model.ranks:
            items, _ = model.recommend(["00"], 2)
            assert set(items[0]) <= set(named[ITEM])
        with pytest.raises(DataError, match="strings"):
            model.users_.index([1])

    def test_refuses_what_it_cannot_fit(self, table: pd.DataFrame) -> None:
        with pytest.raises(DataError, match="no ratings"):
            self.fit(table.iloc[:0])
        with pytest.raises(DataError, match="finite"):
            self.fit(table.assign(**{RATING: np.float32("nan")}))


class TrainedContract(ModelContract):
    """Of models that a trainer fits in epochs, with checkpoints."""

    def fit(self, table: pd.DataFrame) -> Recommender:
        with TemporaryDirectory() as folder:
            fresh = Trainer(CheckpointConfig(every_seconds=9, resume="never"), Path(folder))
            return self.make().fit(table, trainer=fresh)
