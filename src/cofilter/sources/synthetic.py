"""Made-up ratings with the shape of MovieLens 20M, whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.sources.synthetic_config import SyntheticConfig
from cofilter.sources.synthetic_counts import drawing_weights, sizes
from cofilter.sources.synthetic_draw import (
    Market,
    corrected_weights,
    draw,
    give_unrated_a_rating,
)
from cofilter.sources.synthetic_kernels import star_moments, taste_scores
from cofilter.sources.synthetic_time import (
    YEAR,
    Months,
    Sessions,
    arrivals,
    releases,
    sessions,
)
from cofilter.sources.synthetic_titles import describe_items

_MEAN, _SD = 3.53, 1.05  # of MovieLens 20M's ratings
_TURN = 0.2  # radians a year by which a taste turns, at drift 1
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
    noise_sd:
        Of the normal noise on a score, before it is rounded to half stars and clipped.
    """

    months: Months
    arrival: np.ndarray
    release: np.ndarray
    now: np.ndarray
    later: np.ndarray
    trend: np.ndarray
    item_factors: np.ndarray
    user_bias: np.ndarray
    item_bias: np.ndarray
    speed: float
    noise_sd: float
    centre: float = 0.0
    spread: float = 1.0

    def scores(self, user: np.ndarray, item: np.ndarray, time: np.ndarray) -> np.ndarray:
        """float64[rows]: the true scores of (user index, item index, second)."""
        years = (time - self.arrival[user]) / YEAR
        month = self.months.index(time)
        taste = taste_scores(
            user,
            item,
            years,
            month,
            self.now,
            self.later,
            self.trend,
            self.item_factors,
            self.speed,
        )
        return self.centre + self.spread * (self.user_bias[user] + self.item_bias[item] + taste)

    def expected(self, ratings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each row's rating, given the truth; no model can predict better."""
        user, item = (ratings[name].to_numpy() - 1 for name in (USER, ITEM))
        scores = self.scores(user, item, ratings[TIMESTAMP].to_numpy())
        return star_moments(scores, self.noise_sd)


def generate(config: SyntheticConfig) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Ratings (by user, then time), items and what is known of them; the same for the same seed.

    Ratings are half stars from 0.5 to 5. No (user, item) pair occurs twice, every user has at
    least 20 ratings and every item at least one, and no item is rated before its release.

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
    titles = describe_items(truth.item_factors, truth.release, _rng(config, 3))
    return ratings, titles, facts


def generate_with_truth(config: SyntheticConfig) -> tuple[Truth, pd.DataFrame]:
    """The ratings of `generate`, with what they were made from."""
    counts, wanted = sizes(config)
    rng = _rng(config, 0)
    months = Months.of(config)
    shuffled = rng.permutation(len(wanted))
    weight, wanted = drawing_weights(counts, wanted)[shuffled], wanted[shuffled]
    counts = rng.permutation(counts)
    truth = _truth(config, months, len(counts), wanted, rng)
    bursts = sessions(counts, truth.arrival, months, rng)
    market = _market(config, truth, bursts)
    weight = corrected_weights(market, weight, wanted, len(counts), [config.seed, 4])
    item, time = draw(market, weight, [config.seed, 1])
    give_unrated_a_rating(item, time, truth.release, _rng(config, 2))
    user = np.repeat(bursts.user, bursts.size)
    truth = _scaled(truth, user, item, time)
    return truth, _rated(truth, user, item, time, rng)


def _rng(config: SyntheticConfig, part: int) -> np.random.Generator:
    return np.random.default_rng([config.seed, part])


def _truth(
    config: SyntheticConfig,
    months: Months,
    users: int,
    wanted: np.ndarray,
    rng: np.random.Generator,
) -> Truth:
    size = config.factors
    items = len(wanted)
    trend_period = rng.uniform(4, 12, size=size)
    trend_phase = rng.uniform(0, 2 * np.pi, size=size)
    years = np.arange(months.count)[:, None] / 12
    popularity = np.log(wanted)
    popularity = (popularity - popularity.mean()) / popularity.std()
    return Truth(
        months=months,
        arrival=arrivals(users, months, rng),
        release=releases(items, months, rng),
        now=rng.standard_normal((users, size)),
        later=rng.standard_normal((users, size)),
        trend=0.4 * config.drift * np.sin(2 * np.pi * years / trend_period + trend_phase),
        item_factors=rng.standard_normal((items, size)) / np.sqrt(size),
        user_bias=0.8 * rng.standard_normal(users),
        item_bias=0.9 * (0.5 * popularity + 0.87 * rng.standard_normal(items)),
        speed=_TURN * config.drift,
        noise_sd=config.noise_sd,
    )


def _market(config: SyntheticConfig, truth: Truth, bursts: Sessions) -> Market:
    years = (bursts.start - truth.arrival[bursts.user]) / YEAR
    taste = truth.trend[truth.months.index(bursts.start)]
    taste += truth.now[bursts.user] * np.cos(truth.speed * years)[:, None]
    taste += truth.later[bursts.user] * np.sin(truth.speed * years)[:, None]
    return Market(truth.months, bursts, taste, truth.item_factors, truth.release, config.drift)


def _scaled(truth: Truth, user: np.ndarray, item: np.ndarray, time: np.ndarray) -> Truth:
    """Set centre and spread so that ratings have MovieLens 20M's mean and standard deviation."""
    rows = np.linspace(0, len(user) - 1, min(len(user), _SAMPLE)).astype(np.int64)
    raw = truth.scores(user[rows], item[rows], time[rows])
    low, high, centre = 0.0, 4.0 / raw.std(), _MEAN
    for _ in range(24):
        spread = (low + high) / 2
        for _ in range(3):
            mean, variance = star_moments(centre + spread * raw, truth.noise_sd)
            centre += _MEAN - mean.mean()
        if variance.mean() + mean.var() < _SD**2:
            low = spread
        else:
            high = spread
    return Truth(**{**vars(truth), "centre": float(centre), "spread": spread})


def _rated(
    truth: Truth, user: np.ndarray, item: np.ndarray, time: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    score = truth.scores(user, item, time)
    score += truth.noise_sd * rng.standard_normal(len(score))
    stars = np.clip(np.floor(2 * score + 0.5) / 2, 0.5, 5.0).astype(np.float32)
    return pd.DataFrame(
        {
            USER: user.astype(np.int64) + 1,
            ITEM: item.astype(np.int64) + 1,
            RATING: stars,
            TIMESTAMP: time,
        }
    )
