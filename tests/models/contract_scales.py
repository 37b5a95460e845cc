"""That no scale is special; a part of `ModelContract`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.recommender.base import Recommender

NEW = 77  # a person's id that no table of these tests has
STARS = (1.0, 5.0)  # what `ratings_table` has
# Of answers, in stars: what float32 leaves of a rating's digits far from 0, and no more.
TOLERANCE = 2e-6


class ScaleContract:
    """Ratings that are mapped to another scale give the same answers, mapped."""

    make: Callable[[], Recommender]
    fit: Callable[[pd.DataFrame], Recommender]

    def fit_mapped(self, table: pd.DataFrame, scale: tuple[float, float]) -> Recommender:
        """Fitted to ratings on another scale, which it and its members are told."""
        model = self.make()
        for each in (model, *getattr(model, "members", {}).values()):
            each.config = each.config.model_copy(update={"scale": scale})
        self.make = lambda: model
        return self.fit(table)

    @pytest.mark.parametrize(
        "scale", [(0.2, 1.0), (0.0, 1.0), (1e6, 5e6), (-10.0, 10.0)], ids=lambda scale: f"{scale}"
    )
    def test_no_scale_is_special(
        self, scale: tuple[float, float], model: Recommender, table: pd.DataFrame, tmp_path: Path
    ) -> None:
        if not model.predicts_ratings:
            return
        factor = (scale[1] - scale[0]) / (STARS[1] - STARS[0])

        def mapped(ratings: np.ndarray) -> np.ndarray:
            return scale[0] + factor * (np.asarray(ratings, np.float64) - STARS[0])

        def close(found: np.ndarray, stars: np.ndarray) -> None:
            allowed = factor * TOLERANCE + 1e-7 * max(map(abs, scale))
            np.testing.assert_allclose(found, mapped(stars), rtol=0, atol=allowed)

        def like(part: pd.DataFrame) -> pd.DataFrame:
            return part.assign(**{RATING: mapped(part[RATING]).astype(np.float32)})

        other = self.fit_mapped(like(table), scale)
        users, items = np.r_[table[USER].unique(), -5], np.r_[table[ITEM].unique(), 9_999]
        pairs = [array.ravel() for array in np.meshgrid(users, items)]
        given = other.predict(*pairs)
        close(given, model.predict(*pairs))
        close(other.biases_.mean, model.biases_.mean)
        history = table[table[USER] == table[USER].iloc[0]].assign(**{USER: NEW})
        person, same = other.fold_in(like(history)), model.fold_in(history)
        close(other.predict(person, items), model.predict(same, items))
        if model.knows_std:
            std = other.predict(*pairs, return_std=True)[1]
            np.testing.assert_allclose(
                std, factor * model.predict(*pairs, return_std=True)[1], rtol=1e-5
            )
        if model.ranks:
            assert np.array_equal(other.recommend(users, 7)[0], model.recommend(users, 7)[0])
            assert np.array_equal(other.recommend(person, 7)[0], model.recommend(same, 7)[0])
        if model.ranks and model._ranks_by_ratings:
            scores, stars = (each.recommend(users[:-1], 7)[1] for each in (other, model))
            own = np.isfinite(stars)
            close(scores[own], stars[own])
        other.save(tmp_path / "model")
        assert np.array_equal(cofilter.load(tmp_path / "model").predict(*pairs), given)
