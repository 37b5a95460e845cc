"""What new ratings change in a fitted model; a part of `ModelContract`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import CapabilityError, DataError
from cofilter.recommender.base import Recommender
from cofilter.recommender.updates import history_table, updated

KNOWN, NEW = 20, 25  # a user of the table, and one between its users
COLUMNS = [USER, ITEM, RATING]


def news(table: pd.DataFrame) -> pd.DataFrame:
    """A changed and two further ratings of a known user, a new user's, and one of a new item."""
    rated = table[table[USER] == KNOWN][ITEM]
    further = sorted(set(table[ITEM]) - set(rated))[:2]
    rows = [(KNOWN, rated.iloc[0], 2.0), *((KNOWN, item, 5.0) for item in further)]
    rows += [(NEW, item, 4.0) for item in sorted(set(table[ITEM]))[3:9]] + [(NEW, 9_999, 5.0)]
    return pd.DataFrame(rows, columns=COLUMNS).assign(**{TIMESTAMP: 2_000_000_000})


def merged(table: pd.DataFrame) -> pd.DataFrame:
    """All rows that a model should know afterwards."""
    both = pd.concat([table, news(table)])[COLUMNS]
    known = both[both[ITEM].isin(table[ITEM])].drop_duplicates([USER, ITEM], keep="last")
    return known.sort_values([USER, ITEM], ignore_index=True)


class UpdateContract:
    """`cofilter.recommender.updates.updated`."""

    fit_with: Callable[..., Recommender]
    outputs: Callable[[Recommender, pd.DataFrame], list[np.ndarray]]

    def test_new_ratings_become_part_of_what_users_have_rated(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        before = self.outputs(model, table)
        later = updated(model, news(table))
        expected = merged(table)
        pd.testing.assert_frame_equal(history_table(later), expected, check_dtype=False)
        counts = expected[ITEM].value_counts().sort_index()
        assert later.popularity_.tolist() == counts.tolist()
        if later.ranks:
            for user in (KNOWN, NEW):
                rated = set(expected[expected[USER] == user][ITEM])
                assert not rated & set(later.recommend(user, 1_000)[0][0].tolist())
        assert all(map(np.array_equal, self.outputs(model, table), before))  # itself unchanged

    def test_an_updated_model_answers_as_if_folded_in(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        """Where users do not take part in each other's answers; and nobody else changes."""
        if _users_matter_to_others(model):
            return
        later, rows = updated(model, news(table)), merged(table)
        people = model.fold_in(rows[rows[USER].isin([KNOWN, NEW])])
        others = np.setdiff1d(table[USER].unique(), [KNOWN])
        items = table[ITEM].unique()
        if model.predicts_ratings:
            for user in (KNOWN, NEW):
                assert np.array_equal(
                    later.predict(user, items), model.predict(people.take([user]), items)
                )
            assert np.array_equal(later.predict(others[0], items), model.predict(others[0], items))
        if model.ranks:
            one, other = later.recommend([KNOWN, NEW], 5), model.recommend(people, 5)
            assert all(map(np.array_equal, one, other))
            one, other = later.recommend(others, 5), model.recommend(others, 5)
            assert all(map(np.array_equal, one, other))

    def test_an_updated_model_is_saved_and_updated_again(
        self, model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        rows = news(table)
        later = updated(model, rows)
        later.save(tmp_path)
        loaded = cofilter.load(tmp_path)
        assert all(map(np.array_equal, self.outputs(loaded, table), self.outputs(later, table)))
        assert loaded.data_sha256_ == later.data_sha256_ != model.data_sha256_
        twice = updated(loaded, rows)
        pd.testing.assert_frame_equal(history_table(twice), history_table(later))

    def test_an_update_needs_the_histories(self, table: pd.DataFrame) -> None:
        with pytest.raises(CapabilityError, match="keep_seen"):
            updated(self.fit_with(table, keep_seen=False), news(table))

    def test_what_an_update_cannot_read_is_refused(
        self, model: Recommender, table: pd.DataFrame
    ) -> None:
        rows = news(table)
        for wrong, line in (
            (rows.assign(**{RATING: np.nan}), "finite"),
            (pd.concat([rows, rows]), "one rating a pair"),
            (rows.assign(**{ITEM: rows[ITEM].astype(str)}), "are strings"),
            (rows.assign(**{USER: rows[USER].astype(str)}), "are strings"),
        ):
            with pytest.raises(DataError, match=line):
                updated(model, wrong)


def _users_matter_to_others(model: Any) -> bool:
    """Popularity, the users of neighbourhoods and of the graph, or a member that has them."""
    if getattr(model, "members", None):
        return any(map(_users_matter_to_others, model.members.values()))
    return model.family in ("knn", "graph") or "Popularity" in type(model).__name__
