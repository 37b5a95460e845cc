"""What every model takes and what it refuses by name; a part of `ModelContract`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import CapabilityError, ConfigError, DataError
from cofilter.models.ensemble.model import Ensemble
from cofilter.recommender.base import Recommender
from cofilter.recommender.iterative import IterativeRecommender

NEW = 77  # a person's id that no table of these tests has


class InputContract:
    """Ids, lengths, ratings and options."""

    make: Callable[[], Recommender]
    fit: Callable[[pd.DataFrame], Recommender]

    def fit_with(self, table: pd.DataFrame, **changes: Any) -> Recommender:
        """As `fit`, with some of the configuration changed."""
        model = self.make()
        model.config = model.config.model_copy(update=changes)
        self.make = lambda: model
        return self.fit(table)

    def test_one_id_is_a_list_of_one(self, model: Recommender, table: pd.DataFrame) -> None:
        user, item = table[USER].iloc[0], table[ITEM].iloc[0]
        users, items = table[USER].unique(), table[ITEM].unique()
        people = model.fold_in(table[table[USER] == user].assign(**{USER: NEW}))
        if model.predicts_ratings:
            for one in (user, int(user), [user], pd.Series([user]), people):
                given = model.predict(one, items)
                each = np.zeros(len(items), int)
                many = people.at(each) if one is people else np.full(len(items), user)
                assert given.tolist() == model.predict(many, items).tolist()
            given = model.predict(users, item)
            assert given.tolist() == model.predict(users, [item] * len(users)).tolist()
            assert model.predict(user, item).tolist() == model.predict([user], [item]).tolist()
        if model.ranks:
            for one, many in ((user, [user]), (-5, [-5]), (int(user), np.array([user]))):
                alone, listed = model.recommend(one, 3), model.recommend(many, 3)
                assert alone[0].tolist() == listed[0].tolist()
                assert alone[1].tolist() == listed[1].tolist()
        with contextlib.suppress(CapabilityError):
            alone, listed = model.similar_items(item, 3), model.similar_items([item], 3)
            assert alone[0].tolist() == listed[0].tolist()

    def test_ids_of_another_kind_are_refused_with_both_kinds(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        user, item = table[USER].iloc[0], table[ITEM].iloc[0]
        strange = table.head(2).assign(**{ITEM: ["a", "b"]})
        calls: list[Callable[[], Any]] = [
            lambda: model.similar_items("a"),
            lambda: model.fold_in(strange),
            lambda: model.fold_in(table.head(1), user_ids=["a"]),
            lambda: model.fold_in(table.head(1)).take("a"),
        ]
        if model.predicts_ratings:
            calls += [lambda: model.predict("a", item), lambda: model.predict(user, ["a"])]
        if model.ranks:
            calls += [
                lambda: model.recommend("a"),
                lambda: model.recommend(["a"], exclude_seen=False),
                lambda: model.recommend([user], exclude=strange),
            ]
        for call in calls:
            with pytest.raises(DataError, match=r"are strings, but this data's ids are integers"):
                call()

    @pytest.mark.parametrize(
        "ids", [1.5, None, [1, None], [1, "a"], ["a", 1], [[1, 2]], [2**63], [True], b"a"], ids=str
    )
    def test_what_is_no_id_is_refused(
        self, ids: Any, model: Recommender, table: pd.DataFrame
    ) -> None:
        calls: list[Callable[[], Any]] = [lambda: model.similar_items(ids)]
        if model.predicts_ratings:
            item = table[ITEM].iloc[0]
            calls += [lambda: model.predict(ids, item), lambda: model.predict(0, ids)]
        if model.ranks:
            calls += [lambda: model.recommend(ids, 3)]
        for call in calls:
            with pytest.raises(DataError, match=r"^ids must be"):
                call()

    @pytest.mark.parametrize("k", [0, -1, True, 1.5, "3", None], ids=str)
    def test_lengths_that_are_none_are_refused(
        self, k: Any, model: Recommender, table: pd.DataFrame
    ) -> None:
        calls: list[Callable[[], Any]] = [lambda: model.similar_items(table[ITEM].iloc[0], k)]
        if model.ranks:
            calls += [lambda: model.recommend([0], k), lambda: model.recommend(0, k, as_frame=True)]
        for call in calls:
            with pytest.raises(DataError, match=r"^k: .* at least 1 is expected"):
                call()

    @pytest.mark.parametrize("rating", [np.nan, np.inf, -np.inf])
    def test_ratings_that_are_not_finite_are_refused(
        self, rating: float, model: Recommender, table: pd.DataFrame
    ) -> None:
        bad = table.copy()
        bad.loc[5, RATING] = rating
        named = f"{rating} of user {bad[USER][5]} for item {bad[ITEM][5]}"
        with pytest.raises(DataError, match=f"{type(model).__name__}: .*finite.*{named}"):
            self.fit(bad)
        with pytest.raises(DataError, match=f"fold_in: .*finite.*{named}"):
            model.fold_in(bad)

    def test_a_pair_that_occurs_twice_is_refused(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        twice = pd.concat([table, table.iloc[[7, 3]]], ignore_index=True)
        named = f"several of user {table[USER][7]} for item {table[ITEM][7]}"
        with pytest.raises(DataError, match=f"{type(model).__name__}: .*{named}"):
            self.fit(twice)
        with pytest.raises(DataError, match=f"fold_in: .*{named}"):
            model.fold_in(twice)

    def test_tables_without_what_they_need_are_refused(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        with pytest.raises(DataError, match="no column rating"):
            model.fold_in(table[[USER, ITEM]])
        with pytest.raises(DataError, match="ratings must be numbers"):
            model.fold_in(table.assign(**{RATING: "good"}))
        if model.ranks:
            with pytest.raises(DataError, match="exclude has no column item_id"):
                model.recommend([0], 3, exclude=table[[USER]])

    def test_options_by_name_are_a_configuration(self) -> None:
        cls = type(self.make())
        if cls is Ensemble:
            return  # it takes its members
        options: dict[str, Any] = {"scale": (1.0, 5.0), "seed": 3, "keep_seen": False}
        kind = {} if cls.kind is None else {"kind": cls.kind}
        config = cls.config_class(**options, **kind)
        assert cls(**options).config == cls(config).config == config
        assert cls(**options | {"seed": np.int64(3)}).config == config
        assert cls(scale=(0.0, 9.0)).config != config
        with pytest.raises(ConfigError, match="not both: seed"):
            cls(config, seed=3)
        with pytest.raises(ConfigError, match=f"{cls.__name__}.epoch_count: unknown key"):
            cls(epoch_count=3)
        with pytest.raises(ConfigError, match=f"{cls.__name__}.seed: "):
            cls(seed="3")
        with pytest.raises(ConfigError, match="a set is no plain value"):
            cls(seed={3})

    def test_the_defaults_fit(self, table: pd.DataFrame) -> None:
        cls = type(self.make())
        if cls is Ensemble:
            return  # it has no default members
        model = cls()
        if isinstance(model, IterativeRecommender):
            model._epochs = 2  # of many, for speed; without a trainer
        model.fit(table.assign(**{TIMESTAMP: 1_000}))
        if model.predicts_ratings:
            assert np.isfinite(model.predict(table[USER], table[ITEM])).all()
        if model.ranks:
            assert np.isfinite(model.recommend(table[USER].unique(), 1)[1]).all()
