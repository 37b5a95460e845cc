"""A person who rates some well-known movies: who they are asked about, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from cofilter.core.columns import GENRES, ITEM, RATING, TITLE, USER
from cofilter.core.errors import DataError
from cofilter.recommender.base import Recommender

PERSON = 0  # id of the one person who is folded in; people are separate from known users


def most_rated(ratings: pd.DataFrame, n: int) -> list[int | str]:
    """The n items with most ratings, most first; ties go to the smaller id."""
    counts = ratings[ITEM].value_counts().rename_axis(ITEM).reset_index(name="count")
    ordered = counts.sort_values(["count", ITEM], ascending=[False, True])
    return ordered[ITEM].head(n).tolist()


def borrowed_from(own: pd.DataFrame, others: pd.DataFrame, within: float) -> int | str:
    """The user who agrees with a person most often: whose rating of an item is near the person's.

    Parameters
    ----------
    own:
        The person's ratings.
    others:
        The ratings to look in; not empty.
    within:
        The largest difference that counts as agreement.

    Returns
    -------
    The user with the most agreements; the smallest id among equals, also when nobody agrees.
    """
    both = others.merge(own[[ITEM, RATING]], on=ITEM, suffixes=("", "_own"))
    near = both[(both[RATING] - both[f"{RATING}_own"]).abs() <= within]
    if near.empty:
        return others[USER].min()
    votes = near[USER].value_counts()
    return votes.index[votes == votes.max()].min()


@dataclass
class Interview:
    """A person's ratings of the items that are offered; numbers count from 1.

    Attributes
    ----------
    offered:
        Columns item_id, title, genres, in the order shown.
    lowest, highest:
        The ratings that may be given.
    at_least:
        Ratings that are needed.
    """

    offered: pd.DataFrame
    lowest: float
    highest: float
    at_least: int
    _given: dict[int, float] = field(default_factory=dict)

    @classmethod
    def about(
        cls,
        model: Recommender,
        items: pd.DataFrame,
        n: int,
        lowest: float,
        highest: float,
        at_least: int,
    ) -> Interview:
        """Offer the n items that the model has seen most ratings of; ``items`` has the titles."""
        known = pd.DataFrame({ITEM: model.items_.ids, "count": model.popularity_})
        ordered = known.sort_values(["count", ITEM], ascending=[False, True]).head(n)
        if len(ordered) < at_least:
            raise DataError(f"the model knows {len(ordered)} items, {at_least} ratings are asked")
        named = ordered[[ITEM]].merge(items[[ITEM, TITLE, GENRES]], on=ITEM, how="left")
        return cls(named.fillna(""), lowest, highest, at_least)

    def number(self, text: str) -> int:
        """The number of an offered item that a person typed; a `DataError` says what is wrong."""
        last = len(self.offered)
        if not text.strip().isdecimal() or not 1 <= int(text) <= last:
            raise DataError(f"{text!r}: a whole number from 1 to {last} is expected")
        return int(text)

    def rating(self, text: str) -> float:
        """The rating that a person typed; a `DataError` says what is wrong."""
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not self.lowest <= value <= self.highest:
            raise DataError(
                f"{text!r}: a number from {self.lowest:g} to {self.highest:g} is expected"
            )
        return value

    def title(self, number: int) -> str:
        """Of an offered item; its id where it has none."""
        row = self.offered.iloc[number - 1]
        return str(row[TITLE] or row[ITEM])

    def given(self, number: int) -> float | None:
        """The rating that an item has already; None before."""
        return self._given.get(number)

    def rate(self, number: int, rating: float) -> None:
        """Take a rating; a second one of an item replaces the first."""
        self._given[number] = rating

    @property
    def missing(self) -> int:
        """Ratings that are still needed."""
        return max(0, self.at_least - len(self._given))

    def history(self) -> pd.DataFrame:
        """The ratings as user_id, item_id, rating, title, genres, in the order offered."""
        numbers = sorted(self._given)
        rated = self.offered.iloc[[number - 1 for number in numbers]].reset_index(drop=True)
        rated.insert(0, USER, PERSON)
        rated.insert(2, RATING, [self._given[number] for number in numbers])
        return rated


def best_for(
    model: Recommender, history: pd.DataFrame, items: pd.DataFrame, k: int
) -> pd.DataFrame:
    """The k best items of a person who is folded in, what they rated left out.

    Columns: item_id, title, genres, and ``predicted``, the rating in stars, or ``score`` of a
    model that only ranks.
    """
    people = model.fold_in(history)
    best, scores = model.recommend(people, k, exclude=history)
    table = pd.DataFrame({ITEM: best[0], "score": scores[0]})
    table = table[table["score"] > float("-inf")]
    if model.predicts_ratings:
        everyone = people.take([PERSON] * len(table))
        table = table.assign(predicted=model.predict(everyone, table[ITEM])).drop(columns="score")
    return table.merge(items[[ITEM, TITLE, GENRES]], on=ITEM, how="left")
