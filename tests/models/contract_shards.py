"""What a model answers that knows some of its users; a part of `ModelContract`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, TIMESTAMP, USER
from cofilter.core.errors import CapabilityError, DataError
from cofilter.recommender.base import Recommender
from cofilter.recommender.updates import updated

UNCUT = {"UserKNN"}  # compares each user with all others


class ShardContract:
    """`Recommender.of_users`."""

    outputs: Callable[[Recommender, pd.DataFrame], list[np.ndarray]]

    def test_some_users_alone_are_answered_as_by_the_whole_model(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        some = model.users_.ids[::3]
        try:
            part = model.of_users(some[::-1])
        except CapabilityError:
            parts = {type(each).__name__ for each in (model, *model._members().values())}
            assert parts & UNCUT
            return
        part.save(tmp_path / "part", mapped=True)
        theirs = table[table[USER].isin(some)]
        for each in (part, cofilter.load(tmp_path / "part")):
            assert each.users_.ids.tolist() == some.tolist()
            found, expected = (self.outputs(one, theirs) for one in (each, model))
            assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
            people = table.iloc[:20].drop_duplicates(ITEM).assign(**{USER: 7})
            near = [self.similar(one, table[ITEM].unique()) for one in (each, model)]
            assert all(np.array_equal(a, b) for a, b in zip(*near, strict=True))
            if model.ranks:
                lists = [one.recommend(one.fold_in(people), 5) for one in (each, model)]
                assert all(np.array_equal(a, b) for a, b in zip(*lists, strict=True))
            if model.ranks and model.explains:
                items = table[ITEM].unique()[:4]
                reasons = [one.explain(some[1], items, 3) for one in (each, model)]
                assert all(np.array_equal(a, b) for a, b in zip(*reasons, strict=True))
        assert len(model.users_) > len(some)  # itself unchanged

    @staticmethod
    def similar(model: Recommender, items: np.ndarray) -> tuple[np.ndarray, ...]:
        """Items like some, without those by popularity; nothing of a model that knows none."""
        try:
            found, similarity, filled = model.similar_items(items, 5, return_fallback=True)
        except CapabilityError:
            return ()
        return found[~filled], similarity[~filled]

    def test_a_part_that_is_updated_keeps_its_items_side(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        some = model.users_.ids[::3]
        if {type(each).__name__ for each in (model, *model._members().values())} & UNCUT:
            return
        model.of_users(some).save(tmp_path / "part", mapped=True)
        rows = table.iloc[:20].drop_duplicates(ITEM).assign(**{USER: some[-1], TIMESTAMP: 1})
        later = updated(cofilter.load(tmp_path / "part"), rows)
        assert later.recommend(some[-1], 5)[0].shape == (1, 5) if later.ranks else True
        found, before = (self.similar(each, table[ITEM].unique()) for each in (later, model))
        assert all(np.array_equal(a, b) for a, b in zip(found, before, strict=True))

    def test_users_that_it_does_not_know_are_no_part_of_it(self, model: Recommender) -> None:
        with pytest.raises(DataError, match="unknown user: -7"):
            model.of_users([model.users_.ids[0], -7])
