"""Small logs that once gave lists of the lowest ids: items without neighbours, and clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter import EASE, ItemKNN, Popularity, UserKNN
from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.recommender.base import Recommender

CASES = Path(__file__).parents[1] / "sources/cases"
NAMES = {"user": USER, "item": ITEM, "rating": RATING, "t": TIMESTAMP}
ISOLATED = np.arange(901, 911)  # each has rated one item that nobody else has
MODELS: dict[str, type[Recommender]] = {
    "item KNN": ItemKNN,
    "user KNN": UserKNN,
    "EASE": EASE,
}


def case(name: str) -> pd.DataFrame:
    return pd.read_csv(CASES / name).rename(columns=NAMES)


@pytest.mark.parametrize("name", MODELS)
def test_users_without_neighbours_get_what_is_popular(name: str) -> None:
    table = case("isolated_items.csv")
    model, popular = MODELS[name]().fit(table), Popularity().fit(table)
    lists, _ = model.recommend(ISOLATED, k=5)
    expected, _ = popular.recommend(ISOLATED, k=5)
    assert lists.tolist() == expected.tolist()
    assert model.rank(ISOLATED, 5, return_fallback=True)[2].all()
    assert not np.isin(lists, table.loc[table[USER].isin(ISOLATED), ITEM]).any()


@pytest.mark.parametrize("cls", [ItemKNN, UserKNN])
def test_neighbours_of_clicks_are_by_cosine(cls: type[Recommender]) -> None:
    """Deviations from a mean say nothing of clicks: all lists would be of the lowest ids."""
    table = case("clicks.csv").assign(**{RATING: 1.0})
    model = cls().fit(table)
    assert model.config.model_dump()["similarity"] == "cosine"
    lists, scores = model.recommend(table[USER].unique(), k=10)
    assert (scores > 0).all()
    assert len(np.unique(lists)) > 60
