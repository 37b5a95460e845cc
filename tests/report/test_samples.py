from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.parts import Parts
from cofilter.models.baseline.model import KINDS
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.report.samples import (
    LENGTH,
    ROWS,
    USERS,
    sample_predictions,
    sample_recommendations,
)
from tests.models.contract import ratings_table

RATINGS = ratings_table(40, 30)
TITLES = pd.Series({item: f"Film {item}" for item in RATINGS["item_id"].unique()[1:]})


@pytest.fixture
def parts() -> Parts:
    n = len(RATINGS)
    return Parts(RATINGS[: n - 200], RATINGS[n - 200 : n - 100], RATINGS[n - 100 :])


def fitted(kind: str, parts: Parts) -> Recommender:
    return KINDS[kind](ModelConfig(scale=(0.5, 5.0))).fit(parts.train)


def test_predictions_are_the_models_for_rows_of_the_part(parts: Parts) -> None:
    model = fitted("bias", parts)
    table = sample_predictions(model, parts.validation, TITLES)
    assert len(table) == ROWS
    rows = parts.validation.set_index(["user_id", "item_id"])["rating"]
    assert (
        rows.loc[list(zip(table["user_id"], table["item_id"], strict=True))]
        == table["rating"].to_numpy()
    ).all()
    assert np.array_equal(table["predicted"], model.predict(table["user_id"], table["item_id"]))
    assert (
        table["title"].dropna() == "Film " + table["item_id"][table["title"].notna()].astype(str)
    ).all()


def test_recommendations_leave_out_what_was_rated_and_come_best_first(parts: Parts) -> None:
    table = sample_recommendations(fitted("popularity", parts), parts, TITLES)
    assert table["user_id"].nunique() == USERS
    assert len(table) <= USERS * LENGTH
    seen = set(
        pd.concat([parts.train, parts.validation])[["user_id", "item_id"]].itertuples(
            index=False, name=None
        )
    )
    assert not seen & set(table[["user_id", "item_id"]].itertuples(index=False, name=None))
    for _, one in table.groupby("user_id"):
        assert one["rank"].tolist() == list(range(1, len(one) + 1))
        assert one["score"].is_monotonic_decreasing


def test_what_a_model_cannot_do_is_empty(parts: Parts) -> None:
    for kind in ("global_mean", "bias", "popularity"):
        model = fitted(kind, parts)
        assert sample_predictions(model, parts.validation, TITLES).empty != model.predicts_ratings
        assert sample_recommendations(model, parts, TITLES).empty != model.ranks
    assert sample_predictions(fitted("bias", parts), parts.validation[:0], TITLES).empty
