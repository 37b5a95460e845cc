"""Made-up ratings with the shape of MovieLens 20M, whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.sources.config import SyntheticConfig
from cofilter.sources.synthetic_kernels import taste_scores
from cofilter.sources.synthetic_market import (
    MONTHS,
    YEAR,
    Market,
    Sessions,
    arrivals,
    corrected_weights,
    draw,
    drawing_weights,
    give_unrated_a_rating,
    month_of,
    releases,
    sessions,
    sizes,
)

FACTORS = 8  # of the true tastes
NOISE_SD = 0.85  # of a score, before it is rounded to half stars and clipped
_MEAN, _SD = 3.53, 1.05  # of MovieLens 20M's ratings
_TURN = 0.2  # radians a year by which a taste turns
_SAMPLE = 50_000  # rows by which mean and spread are set


@dataclass(frozen=True)
class Truth:
    """What the ratings were made from; user u has index u − 1, item i has index i − 1.

    Attributes
    ----------
    arrival, release:
        int64 seconds: when a user joined and an item came out.
    now, later:
        float64[users, factors]; a taste turns from ``now`` towards ``later``.
    trend:
        float64[months, factors], added to everybody's taste.
    item_factors:
        float64[items, factors].
    user_bias, item_bias:
        float64.
    centre, spread:
        A score is ``centre + spread · (user_bias + item_bias + taste · item_factors)``.
    """

    arrival: np.ndarray
    release: np.ndarray
    now: np.ndarray
    later: np.ndarray
    trend: np.ndarray
    item_factors: np.ndarray
    user_bias: np.ndarray
    item_bias: np.ndarray
    centre: float = 0.0
    spread: float = 1.0

    def scores(self, user: np.ndarray, item: np.ndarray, time: np.ndarray) -> np.ndarray:
        """float64[rows]: the true scores of (user index, item index, second)."""
        years = (time - self.arrival[user]) / YEAR
        tastes = self.now, self.later, self.trend, self.item_factors
        taste = taste_scores(user, item, years, month_of(time), *tastes, _TURN)
        return self.centre + self.spread * (self.user_bias[user] + self.item_bias[item] + taste)

    def expected(self, ratings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each row's rating, given the truth; no model can predict better."""
        user, item = (ratings[name].to_numpy() - 1 for name in (USER, ITEM))
        return star_moments(self.scores(user, item, ratings[TIMESTAMP].to_numpy()))


def star_moments(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (float64[rows]) of ratings given their true scores.

    A rating is score + noise, rounded to half stars and clipped to 0.5 … 5. With
    ``P_k = Φ((score − t_k) / noise_sd)``, the chance to lie above the edge t_k = 0.75, 1.25, …,
    4.75, its mean is ``0.5 + 0.5 Σ P_k``, and its mean square ``0.25 + Σ (0.5 k + 0.25) P_k`` with
    k = 1 … 9 (the square of k/2 + 1/2 less that of k/2).
    """
    mean, square = np.full(len(scores), 0.5), np.full(len(scores), 0.25)
    for k in range(1, 10):
        above = ndtr((scores - (0.5 * k + 0.25)) / NOISE_SD)
        mean += 0.5 * above
        square += (0.5 * k + 0.25) * above
    return mean, np.maximum(square - mean**2, 0.0)


def generate(config: SyntheticConfig) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Ratings (by user, then time) and what is known of them; the same for the same seed.

    Ratings are half stars from 0.5 to 5, over 20 years from 1995. No (user, item) pair occurs
    twice, every user has at least 20 ratings and every item at least one, and no item is rated
    before its release. Tastes and popularity drift.

    The facts hold ``reachable_rmse``, the root of the mean variance of a rating given its true
    score: what the best possible predictions, their exact conditional means after rounding and
    clipping, reach on average over all rows.
    """
    truth, ratings = generate_with_truth(config)
    _, variance = truth.expected(ratings)
    stars = ratings[RATING].to_numpy()
    facts = {
        **config.model_dump(),
        "reachable_rmse": round(float(np.sqrt(variance.mean())), 6),
        "rating_mean": round(float(stars.mean(dtype=np.float64)), 6),
        "rating_sd": round(float(stars.std(dtype=np.float64)), 6),
    }
    return ratings, facts


def generate_with_truth(config: SyntheticConfig) -> tuple[Truth, pd.DataFrame]:
    """The ratings of `generate`, with what they were made from."""
    counts, wanted = sizes(config.users, config.items, config.ratings)
    rng = np.random.default_rng([config.seed, 0])
    shuffled = rng.permutation(len(wanted))
    weight, wanted = drawing_weights(counts, wanted)[shuffled], wanted[shuffled]
    counts = rng.permutation(counts)
    truth = _truth(len(counts), wanted, rng)
    bursts = sessions(counts, truth.arrival, rng)
    market = _market(truth, bursts)
    weight = corrected_weights(market, weight, wanted, len(counts), [config.seed, 4])
    item, time = draw(market, weight, [config.seed, 1])
    give_unrated_a_rating(item, time, truth.release, np.random.default_rng([config.seed, 2]))
    user = np.repeat(bursts.user, bursts.size)
    truth = _scaled(truth, user, item, time)
    return truth, _rated(truth, user, item, time, rng)


def _truth(users: int, wanted: np.ndarray, rng: np.random.Generator) -> Truth:
    items = len(wanted)
    trend_period = rng.uniform(4, 12, size=FACTORS)
    trend_phase = rng.uniform(0, 2 * np.pi, size=FACTORS)
    years = np.arange(MONTHS)[:, None] / 12
    popularity = np.log(wanted)
    popularity = (popularity - popularity.mean()) / popularity.std()
    return Truth(
        arrival=arrivals(users, rng),
        release=releases(items, rng),
        now=rng.standard_normal((users, FACTORS)),
        later=rng.standard_normal((users, FACTORS)),
        trend=0.4 * np.sin(2 * np.pi * years / trend_period + trend_phase),
        item_factors=rng.standard_normal((items, FACTORS)) / np.sqrt(FACTORS),
        user_bias=0.8 * rng.standard_normal(users),
        item_bias=0.9 * (0.5 * popularity + 0.87 * rng.standard_normal(items)),
    )


def _market(truth: Truth, bursts: Sessions) -> Market:
    years = (bursts.start - truth.arrival[bursts.user]) / YEAR
    taste = truth.trend[month_of(bursts.start)]
    taste += truth.now[bursts.user] * np.cos(_TURN * years)[:, None]
    taste += truth.later[bursts.user] * np.sin(_TURN * years)[:, None]
    return Market(bursts, taste, truth.item_factors, truth.release)


def _scaled(truth: Truth, user: np.ndarray, item: np.ndarray, time: np.ndarray) -> Truth:
    """Set centre and spread so that ratings have MovieLens 20M's mean and standard deviation."""
    rows = np.linspace(0, len(user) - 1, min(len(user), _SAMPLE)).astype(np.int64)
    raw = truth.scores(user[rows], item[rows], time[rows])
    low, high, centre = 0.0, 4.0 / raw.std(), _MEAN
    for _ in range(24):
        spread = (low + high) / 2
        for _ in range(3):
            mean, variance = star_moments(centre + spread * raw)
            centre += _MEAN - mean.mean()
        if variance.mean() + mean.var() < _SD**2:
            low = spread
        else:
            high = spread
    return replace(truth, centre=float(centre), spread=spread)


def _rated(
    truth: Truth, user: np.ndarray, item: np.ndarray, time: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    score = truth.scores(user, item, time)
    score += NOISE_SD * rng.standard_normal(len(score))
    stars = np.clip(np.floor(2 * score + 0.5) / 2, 0.5, 5.0).astype(np.float32)
    ids = {USER: user.astype(np.int64) + 1, ITEM: item.astype(np.int64) + 1}
    return pd.DataFrame({**ids, RATING: stars, TIMESTAMP: time})
