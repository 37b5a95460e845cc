"""How many ratings each made-up user gives and each made-up item gets."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from cofilter.core.errors import ConfigError
from cofilter.sources.synthetic_config import SyntheticConfig

# MovieLens 20M (Harper and Konstan, 2015), which other sizes are scaled from.
_USERS, _ITEMS, _RATINGS = 138_493, 26_744, 20_000_263
_USER_MIN, _USER_MEDIAN, _USER_MAX = 20, 68, 9_254
_ITEM_MEDIAN, _ITEM_MAX = 18, 67_310


def sizes(config: SyntheticConfig) -> tuple[np.ndarray, np.ndarray]:
    """Ratings of each user (int64[users]) and the wanted ones of each item (float64[items]).

    Both sum to the number of ratings and are in ascending order. Users have at least 20, a
    log-normal tail with MovieLens 20M's median, and at most the share of the catalogue that its
    keenest user rated. Without an override the catalogue grows with the square root of the
    users, and the number of ratings is 144.4 a user, or less where the catalogue is too small.

    Raises
    ------
    ConfigError
        The asked number of ratings does not fit the users and items.
    """
    items = config.items or max(100, round(_ITEMS * (config.users / _USERS) ** 0.5))
    most = max(_USER_MIN + 2, round(items * _USER_MAX / _ITEMS))
    mean = _RATINGS / _USERS if config.ratings is None else config.ratings / config.users
    part = (mean - _USER_MIN) / (_RATINGS / _USERS - _USER_MIN)
    median = min(_USER_MIN + (_USER_MEDIAN - _USER_MIN) * part, (_USER_MIN + most) / 2)
    if config.ratings is None:
        total = max(items, min(round(mean * config.users), config.users * most // 2))
    else:
        total = config.ratings
    low, high = config.users * (_USER_MIN + 1), int(0.6 * config.users * most)
    if not max(low, items) <= total <= high:
        raise ConfigError(
            f"synthetic.ratings: {total:,} is not allowed: {config.users:,} users and "
            f"{items:,} items can have from {max(low, items):,} to {high:,} ratings"
        )
    users = _to_sum(config.users, _USER_MIN, median, most, total)
    item_median = max(1.2, _ITEM_MEDIAN * total / items / (_RATINGS / _ITEMS))
    item_most = max(config.users * _ITEM_MAX / _USERS, 1.5 * total / items)
    wanted = _to_sum(items, 1, item_median, min(item_most, 0.9 * config.users), total)
    return _whole(users, total), wanted


def drawing_weights(users: np.ndarray, wanted: np.ndarray, rounds: int = 80) -> np.ndarray:
    """Weights under which drawing without repetition gives each item its wanted ratings.

    A keen user takes a popular item almost surely, so weights must be steeper than the counts
    that they bring. With ``1 − exp(−θ_u w_i)`` as the chance that user u takes item i (successive
    sampling, Rosén 1972), both θ and w are found by fitting rows and columns in turn. Users enter
    in up to 64 groups of similar counts, so the memory is 64 × items.

    Returns float64[items], summing to the number of ratings.
    """
    grouped = np.array_split(users, 64)  # ascending, so a group is of one size
    count = np.array([group.mean() for group in grouped if len(group)])
    people = np.array([len(group) for group in grouped if len(group)], dtype=np.float64)
    theta = count / count.mean()
    weight = wanted / people.sum()
    for _ in range(rounds):
        chance = -np.expm1(-np.outer(theta, weight))
        theta *= count / chance.sum(axis=1)
        chance = -np.expm1(-np.outer(theta, weight))
        weight *= wanted / (people @ chance)
    return weight * (wanted.sum() / weight.sum())


def _spread(n: int, minimum: float, median: float, maximum: float, sd: float) -> np.ndarray:
    """Evenly spaced quantiles of a log-normal shifted by ``minimum`` and cut at ``maximum``."""
    z = ndtri((np.arange(n) + 0.5) / n)
    return np.minimum(minimum + (median - minimum) * np.exp(sd * z), maximum)


def _to_sum(n: int, minimum: float, median: float, maximum: float, total: float) -> np.ndarray:
    """The spread whose sum is ``total``, by bisection over its sd."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if _spread(n, minimum, median, maximum, middle).sum() < total:
            low = middle
        else:
            high = middle
    values = _spread(n, minimum, median, maximum, high)
    # Where the median cannot be had with this total, all counts move in proportion.
    return minimum + (values - minimum) * (total - minimum * n) / (values - minimum).sum()


def _whole(values: np.ndarray, total: int) -> np.ndarray:
    """Integers with that sum, each within 1 of its value, ascending like the values."""
    edges = np.round(np.cumsum(values)).astype(np.int64)
    edges[-1] = total
    return np.sort(np.diff(edges, prepend=0))
