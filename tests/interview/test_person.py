from __future__ import annotations

import io

import pandas as pd
import pytest
from rich.console import Console

from cofilter.core.columns import GENRES, ITEM, RATING, TITLE, USER
from cofilter.core.errors import DataError
from cofilter.interview.dialogue import hold
from cofilter.interview.person import Interview, best_for, borrowed_from, most_rated
from cofilter.models.baseline.model import BiasBaseline, Popularity
from cofilter.recommender.config import ModelConfig


@pytest.fixture
def items(ratings: pd.DataFrame) -> pd.DataFrame:
    ids = sorted(ratings[ITEM].unique())
    return pd.DataFrame({ITEM: ids, TITLE: [f"film {i}" for i in ids], GENRES: "Drama|War"})


@pytest.fixture
def interview(ratings: pd.DataFrame, items: pd.DataFrame) -> Interview:
    model = Popularity(ModelConfig()).fit(ratings)
    return Interview.about(model, items, 8, 1, 5, 2)


def test_the_most_rated_are_offered_first(ratings: pd.DataFrame, interview: Interview) -> None:
    counts = ratings[ITEM].value_counts()
    expected = sorted(counts.index, key=lambda item: (-counts[item], item))[:8]
    assert interview.offered[ITEM].tolist() == expected == most_rated(ratings, 8)


def test_wrong_answers_are_asked_again_and_a_second_rating_is_an_offer(
    interview: Interview,
) -> None:
    answers = ["", "99", "x", "1", "7", "4", "1", "y", "5", "1", "n", "3", "2.5", ""]
    told = io.StringIO()
    history = hold(interview, Console(file=told, width=100), io.StringIO("\n".join(answers) + "\n"))
    assert history[ITEM].tolist() == interview.offered[ITEM].iloc[[0, 2]].tolist()
    assert history[RATING].tolist() == [5.0, 2.5]
    for line in ("2 more ratings are needed", "a whole number from 1 to 8", "a number from 1 to 5",
                 "has 4 already; change it?", "your 2 ratings", "Drama, War"):  # fmt: skip
        assert line in told.getvalue()


def test_a_person_gets_what_they_have_not_rated_with_stars(
    ratings: pd.DataFrame, items: pd.DataFrame, interview: Interview
) -> None:
    interview.rate(1, 5.0)
    interview.rate(2, 4.0)
    history = interview.history()
    model = BiasBaseline(ModelConfig(scale=(0.5, 5.0))).fit(ratings)
    best = best_for(model, history, items, 10)
    assert len(best) == 10
    assert not set(best[ITEM]) & set(history[ITEM])
    assert best["predicted"].between(0.5, 5).all()
    ranked = best_for(Popularity(ModelConfig()).fit(ratings), history, items, 3)
    assert ranked["score"].is_monotonic_decreasing


def test_the_most_similar_user_agrees_most_often() -> None:
    own = pd.DataFrame({ITEM: [1, 2, 3], RATING: [5.0, 1.0, 3.0]})
    others = pd.DataFrame(
        {USER: [9, 9, 8, 8, 8], ITEM: [1, 2, 1, 2, 3], RATING: [5.0, 5.0, 4.0, 2.0, 1.0]}
    )
    assert borrowed_from(own, others, 1.0) == 8
    assert borrowed_from(own.assign(**{ITEM: [7, 8, 9]}), others, 1.0) == 8


def test_too_few_items_are_one_line(ratings: pd.DataFrame, items: pd.DataFrame) -> None:
    model = Popularity(ModelConfig()).fit(ratings)
    with pytest.raises(DataError, match="the model knows 3 items, 5 ratings are asked"):
        Interview.about(model, items, 3, 1, 5, 5)
