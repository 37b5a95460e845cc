"""Which items made-up users rate, and when."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from cofilter.sources.synthetic_kernels import alias_tables, draw_items
from cofilter.sources.synthetic_time import DAY, Months, Sessions, monthly_weights

_PILOT_USERS = 15_000
_PILOTS = 2
_BANDS = 60  # of items with similar weights, corrected together


@dataclass(frozen=True)
class Market:
    """What drawing needs to know of time, tastes and items.

    ``taste`` is float64[sessions, factors], ``item_factors`` float64[items, factors], ``release``
    int64[items] in seconds.
    """

    months: Months
    sessions: Sessions
    taste: np.ndarray
    item_factors: np.ndarray
    release: np.ndarray
    drift: float

    def of_users(self, chosen: np.ndarray) -> Market:
        """The same market with the sessions of users whose flag in ``chosen`` is set."""
        rows = chosen[self.sessions.user]
        some = Sessions(
            self.sessions.user[rows], self.sessions.start[rows], self.sessions.size[rows]
        )
        return Market(
            self.months, some, self.taste[rows], self.item_factors, self.release, self.drift
        )


def draw(market: Market, weight: np.ndarray, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Item (int32) and time (int64) of every rating, in the sessions' order.

    ``weight`` (float64[items]) says how many ratings each item should about get.
    """
    rng = np.random.default_rng(seed)
    month = market.months.index(market.sessions.start)
    size = market.sessions.size
    volume = np.bincount(month, weights=size, minlength=market.months.count)
    weight = weight * (size.sum() / weight.sum())
    # Its own generator, so that fashions are the same in a pilot and in the whole.
    fashion = np.random.default_rng([*seed[:1], 99])
    weights = monthly_weights(weight, market.release, volume, market.months, market.drift, fashion)
    keep, other = alias_tables(weights)
    drawn = [
        draw_items(
            market.sessions.user[part],
            market.sessions.start[part],
            size[part],
            month[part],
            market.taste[part],
            market.item_factors,
            weights,
            keep,
            other,
            rng,
        )
        for part in tqdm(_parts(market.sessions.user), desc="made-up ratings", disable=None)
    ]
    return np.concatenate([item for item, _ in drawn]), np.concatenate([time for _, time in drawn])


def _parts(user: np.ndarray) -> list[slice]:
    """Sessions in some 50 parts that keep each user's together, for the progress bar."""
    cuts = np.flatnonzero(np.diff(user)) + 1
    edges = [0, *cuts[:: max(1, len(cuts) // 50)].tolist(), len(user)]
    return [slice(low, high) for low, high in itertools.pairwise(edges)]


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
