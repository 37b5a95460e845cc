"""Who rates what, and when, among made-up users and items."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from tqdm import tqdm

from cofilter.core.errors import ConfigError
from cofilter.sources.synthetic_kernels import alias_tables, draw_items

# MovieLens 20M (Harper and Konstan, 2015), which other sizes are scaled from.
_USERS, _ITEMS, _RATINGS = 138_493, 26_744, 20_000_263
_USER_MIN, _USER_MEDIAN, _USER_MAX = 20, 68, 9_254
_ITEM_MEDIAN, _ITEM_MAX = 18, 67_310

# The log's 20 years from 1995-01-09, in seconds since 1970 and months of equal length.
DAY = 86_400
YEAR = 365.25 * DAY
START, MONTH, MONTHS = 789_609_600, 2_629_800, 240
END = START + MONTH * MONTHS

_OLD_CATALOGUE = 0.6  # of the items are older than the log; above the keenest user's share
_LATER_SESSION = 25  # ratings
_PILOT_USERS, _PILOTS = 15_000, 2
_BANDS = 60  # of items with similar weights, corrected together


def month_of(times: np.ndarray) -> np.ndarray:
    """The month of each second; times past the end are in the last one."""
    return np.clip((times - START) // MONTH, 0, MONTHS - 1)


# How many ratings ------------------------------------------------------------------------------


def sizes(
    n_users: int, n_items: int | None, n_ratings: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Ratings of each user (int64[users]) and the wanted ones of each item (float64[items]).

    Both sum to the number of ratings and are in ascending order. Users have at least 20, a
    log-normal tail with MovieLens 20M's median, and at most the share of the catalogue that its
    keenest user rated. Where None, the catalogue grows with the square root of the users, and the
    number of ratings is 144.4 a user, or less where the catalogue is too small.

    Raises
    ------
    ConfigError
        The number of ratings does not fit the users and items.
    """
    items = n_items or max(100, round(_ITEMS * (n_users / _USERS) ** 0.5))
    most = max(_USER_MIN + 2, round(items * _USER_MAX / _ITEMS))
    mean = _RATINGS / _USERS if n_ratings is None else n_ratings / n_users
    part = (mean - _USER_MIN) / (_RATINGS / _USERS - _USER_MIN)
    median = min(_USER_MIN + (_USER_MEDIAN - _USER_MIN) * part, (_USER_MIN + most) / 2)
    total = n_ratings or max(items, min(round(mean * n_users), n_users * most // 2))
    low, high = max(n_users * (_USER_MIN + 1), items), int(0.6 * n_users * most)
    if not low <= total <= high:
        raise ConfigError(
            f"synthetic.ratings: {total:,} is not allowed: {n_users:,} users and "
            f"{items:,} items can have from {low:,} to {high:,} ratings"
        )
    users = _to_sum(n_users, _USER_MIN, median, most, total)
    item_median = max(1.2, _ITEM_MEDIAN * total / items / (_RATINGS / _ITEMS))
    item_most = max(n_users * _ITEM_MAX / _USERS, 1.5 * total / items)
    wanted = _to_sum(items, 1, item_median, min(item_most, 0.9 * n_users), total)
    edges = np.round(np.cumsum(users)).astype(np.int64)  # whole counts with the same sum
    edges[-1] = total
    return np.sort(np.diff(edges, prepend=0)), wanted


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


def _to_sum(n: int, minimum: float, median: float, maximum: float, total: float) -> np.ndarray:
    """Quantiles of a log-normal above ``minimum``, cut at ``maximum``, that sum to ``total``.

    The spread is found by bisection. Where the median cannot be had with this total, all counts
    move in proportion.
    """
    z = ndtri((np.arange(n) + 0.5) / n)

    def spread(sd: float) -> np.ndarray:
        return np.minimum(minimum + (median - minimum) * np.exp(sd * z), maximum)

    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if spread(middle).sum() < total:
            low = middle
        else:
            high = middle
    values = spread(high)
    return minimum + (values - minimum) * (total - minimum * n) / (values - minimum).sum()


# When ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sessions:
    """Bursts of ratings by one user, ordered by user, then start."""

    user: np.ndarray  # int32
    start: np.ndarray  # int64 seconds
    size: np.ndarray  # int64 ratings


def arrivals(users: int, rng: np.random.Generator) -> np.ndarray:
    """int64[users]: the second at which each joins; some months bring many more than others."""
    share = np.exp(0.5 * rng.standard_normal(MONTHS))
    month = rng.choice(MONTHS, size=users, p=share / share.sum())
    return START + MONTH * month + rng.integers(0, MONTH, size=users)


def sessions(counts: np.ndarray, arrival: np.ndarray, rng: np.random.Generator) -> Sessions:
    """Cut each user's ratings into a first burst of at least 20 and later, smaller ones."""
    users = len(counts)
    first = 20 + rng.binomial(counts - 20, 0.4)
    rest = counts - first
    later = np.where(rest > 0, 1 + rng.poisson(rest / _LATER_SESSION), 0)
    owner = np.repeat(np.arange(users, dtype=np.int32), later)
    begin = np.concatenate([[0], np.cumsum(later)[:-1]])
    chosen = np.repeat(begin, rest) + (rng.random(rest.sum()) * np.repeat(later, rest)).astype(int)
    size = np.bincount(chosen, minlength=len(owner))
    left = (END - arrival[owner]) / YEAR
    gap = -np.log1p(-rng.random(len(owner)) * -np.expm1(-left))  # years, exponential, cut at END
    start = arrival[owner] + DAY // 2 + (gap * YEAR).astype(np.int64)
    user = np.concatenate([np.arange(users, dtype=np.int32), owner])
    start = np.concatenate([arrival, start])
    size = np.concatenate([first, size])
    order = np.lexsort((start, user))
    order = order[size[order] > 0]
    return Sessions(user[order], start[order], size[order])


def releases(items: int, rng: np.random.Generator) -> np.ndarray:
    """int64[items]: release times; most items are older than the log."""
    old = rng.permutation(items) < np.ceil(_OLD_CATALOGUE * items)
    before = START - DAY - (15 * YEAR * rng.exponential(size=items)).astype(np.int64)
    during = rng.integers(START, END - 2 * MONTH, size=items)
    return np.where(old, before, during)


# What ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Market:
    """Sessions with their tastes, float64[sessions, factors], and items with their factors,
    float64[items, factors], and releases, int64[items] seconds."""

    sessions: Sessions
    taste: np.ndarray
    item_factors: np.ndarray
    release: np.ndarray

    def of_users(self, chosen: np.ndarray) -> Market:
        """The same market with the sessions of users whose flag in ``chosen`` is set."""
        rows = chosen[self.sessions.user]
        some = (self.sessions.user[rows], self.sessions.start[rows], self.sessions.size[rows])
        return Market(Sessions(*some), self.taste[rows], self.item_factors, self.release)


def draw(market: Market, weight: np.ndarray, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Item (int32) and time (int64) of every rating, in the sessions' order.

    ``weight`` (float64[items]) says how many ratings each item should about get.
    """
    rng = np.random.default_rng(seed)
    user, start, size = market.sessions.user, market.sessions.start, market.sessions.size
    month = month_of(start)
    volume = np.bincount(month, weights=size, minlength=MONTHS)
    weight = weight * (size.sum() / weight.sum())
    # Its own generator, so that fashions are the same in a pilot and in the whole.
    fashion = np.random.default_rng([*seed[:1], 99])
    weights = _monthly_weights(weight, market.release, volume, fashion)
    tables = weights, *alias_tables(weights)
    cuts = np.flatnonzero(np.diff(user)) + 1
    edges = [0, *cuts[:: max(1, len(cuts) // 50)].tolist(), len(user)]  # a user's stay together
    drawn = []
    for low, high in tqdm(
        itertools.pairwise(edges), "made-up ratings", len(edges) - 1, disable=None
    ):
        some = (user[low:high], start[low:high], size[low:high], month[low:high])
        drawn.append(draw_items(*some, market.taste[low:high], market.item_factors, *tables, rng))
    return np.concatenate([item for item, _ in drawn]), np.concatenate([time for _, time in drawn])


def _monthly_weights(
    weight: np.ndarray, release: np.ndarray, volume: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """float64[months, items]: how likely an item is drawn in each month; 0 before its release.

    New items draw more, and each item's fashion comes and goes. Rows and columns are then fitted
    in turn (Sinkhorn and Knopp, 1967), so that an item's months add up to ``weight`` and a
    month's items to ``volume``, the ratings given in it.
    """
    starts = START + MONTH * np.arange(MONTHS, dtype=np.int64)
    age = (starts[:, None] - release[None, :]) / YEAR
    period = rng.uniform(5, 15, size=len(release))
    phase = rng.uniform(0, 2 * np.pi, size=len(release))
    years = np.arange(MONTHS)[:, None] / 12
    fashion = np.sin(2 * np.pi * years / period + phase) + np.log1p(3 * np.exp(-np.maximum(age, 0)))
    table = np.where(age > 0, np.exp(fashion), 0.0)
    for _ in range(20):
        table *= _ratio(weight, table.sum(axis=0))
        table *= _ratio(volume, table.sum(axis=1))[:, None]
    return table


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """0 where there is nothing to scale: a month without ratings, an item after the last one."""
    return np.divide(wanted, found, out=np.zeros(len(found)), where=found > 0)


def corrected_weights(
    market: Market, weight: np.ndarray, wanted: np.ndarray, users: int, seed: list[int]
) -> np.ndarray:
    """Weights that bring items nearer to the ``wanted`` ratings, found by pilot draws.

    A keen user who rates within one month empties what is popular then, which favours rare items
    beyond what `drawing_weights` foresees. Pilots with up to 15,000 of the users show by how much,
    for bands of items with similar weights.
    """
    chosen = np.zeros(users, dtype=bool)
    chosen[np.linspace(0, users - 1, min(users, _PILOT_USERS)).astype(np.int64)] = True
    pilot = market.of_users(chosen)
    bands = np.array_split(np.argsort(wanted, kind="stable"), _BANDS)
    part = pilot.sessions.size.sum() / wanted.sum()
    for number in range(_PILOTS):
        item, _ = draw(pilot, weight, [*seed, number])
        got = np.bincount(item, minlength=len(weight))
        weight = weight.copy()
        for band in bands:
            weight[band] *= (wanted[band].sum() * part + 1) / (got[band].sum() + 1)
    return weight


def give_unrated_a_rating(
    item: np.ndarray, time: np.ndarray, release: np.ndarray, rng: np.random.Generator
) -> None:
    """Let each item that nobody drew replace, in place, a rated-again one in a later row.

    An item that came out too late for that gets an earlier ``release``, in place.
    """
    count = np.bincount(item, minlength=len(release))
    for unrated in np.flatnonzero(count == 0):
        rows = rng.integers(len(item), size=1_000)
        rows = rows[count[item[rows]] > 1]
        later = rows[time[rows] > release[unrated]]
        if len(later) == 0:
            later = rows if len(rows) else np.flatnonzero(count[item] > 1)
            release[unrated] = time[later[0]] - DAY
        count[item[later[0]]] -= 1
        count[unrated] = 1
        item[later[0]] = unrated
