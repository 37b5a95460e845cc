"""What implicit ALS takes from the data where nothing is configured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.models.als.config import ALSConfig, amounts, default_dim
from cofilter.models.als.model import ExplicitALS, ImplicitALS

PAIRS = [(user, item) for user in range(10) for item in range(20) if (user * item) % 4 == 0]
LOG = pd.DataFrame(PAIRS, columns=[USER, ITEM])


def fitted(numbers: np.ndarray, **options: object) -> ImplicitALS:
    return ImplicitALS(**{"dim": 2, "epochs": 2} | options).fit(LOG.assign(**{RATING: numbers}))


def test_ratings_take_what_was_chosen_on_movielens() -> None:
    config = fitted(1.0 + np.arange(len(LOG)) % 5, scale=(1, 5)).config
    assert (config.confidence, config.alpha, config.regularization) == ("rating", 1.0, 35.0)


@pytest.mark.parametrize("counts", [False, True])
def test_clicks_and_counts_take_it_from_their_density(counts: bool) -> None:
    numbers = np.where(np.arange(len(LOG)) % 4 == 0, 90.0, 1.0) if counts else np.ones(len(LOG))
    config = fitted(numbers).config
    mean = np.log1p(numbers).mean() if counts else 1.0
    assert config.confidence == ("log" if counts else "constant")
    assert config.alpha is not None
    weight = np.sqrt(10 * 20 / len(LOG))
    assert config.alpha * mean == pytest.approx(weight, rel=1e-6)
    amounts_of_user = np.bincount(LOG[USER], np.log1p(numbers) if counts else numbers)
    penalty = 0.14 * config.alpha * np.median(amounts_of_user)
    assert config.regularization == pytest.approx(penalty, rel=1e-6)


def test_a_heavy_user_does_not_raise_the_penalty() -> None:
    heavy = pd.DataFrame({USER: 10, ITEM: np.arange(2_000)})
    log = pd.concat([LOG, heavy]).assign(**{RATING: 1.0})
    config = ImplicitALS(dim=2, epochs=1).fit(log).config
    assert config.alpha is not None
    assert config.regularization == pytest.approx(0.14 * config.alpha * 10, rel=1e-6)


def test_dims_are_a_factor_for_64_items_within_limits() -> None:
    assert [default_dim(n) for n in (1, 1_682, 6_400, 9_724, 1 << 20)] == [50, 50, 100, 151, 256]
    assert fitted(np.ones(len(LOG)), dim="auto").config.dim == 50
    explicit = ExplicitALS(epochs=1).fit(LOG.assign(**{RATING: 1.0 + np.arange(len(LOG)) % 5}))
    assert explicit.config.dim == 50
    assert explicit.for_refit().config == explicit.config


def test_what_is_configured_stays_and_a_refit_keeps_what_was_taken() -> None:
    numbers = np.ones(len(LOG))
    config = fitted(numbers, alpha=3.0, regularization=2.0, confidence="rating").config
    assert (config.confidence, config.alpha, config.regularization) == ("rating", 3.0, 2.0)
    model = fitted(numbers)
    assert model.for_refit().config == model.config


def test_log_takes_logarithms_when_folding_in_too() -> None:
    numbers = np.where(np.arange(len(LOG)) % 4 == 0, 90.0, 1.0)
    logs = amounts("log", numbers.astype(np.float32))
    same = {"alpha": 2.0, "regularization": 1.0}
    by_log = fitted(numbers, confidence="log", **same)
    by_rating = fitted(logs, confidence="rating", **same)
    assert np.array_equal(by_log.user_, by_rating.user_)
    people = [
        model.fold_in(LOG.assign(**{RATING: values}))
        for model, values in ((by_log, numbers), (by_rating, logs))
    ]
    answers = [
        model.recommend(given, 5)[1]
        for model, given in zip((by_log, by_rating), people, strict=True)
    ]
    assert np.array_equal(*answers)


def test_explicit_needs_a_number() -> None:
    with pytest.raises(ValueError, match="regularization null is not allowed for kind explicit"):
        ALSConfig(kind="explicit", regularization=None)
