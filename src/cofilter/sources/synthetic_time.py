"""When made-up users arrive and rate, and which items there are and are liked at that time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from cofilter.sources.synthetic_config import SyntheticConfig

DAY = 86_400
YEAR = 365.25 * DAY
_OLD_CATALOGUE = 0.6  # of the items are older than the log; above the keenest user's share
_RETURN_YEARS = 1.0  # mean time after arrival at which a user rates again
_LATER_SESSION = 25  # ratings


@dataclass(frozen=True)
class Months:
    """The log's time, cut into months of equal length; all in seconds since 1970."""

    start: int
    length: int
    count: int

    @classmethod
    def of(cls, config: SyntheticConfig) -> Months:
        """The months that a configuration asks for."""
        first = datetime.datetime.fromisoformat(config.start).replace(tzinfo=datetime.UTC)
        count = round(config.years * 12)
        return cls(int(first.timestamp()), round(YEAR / 12), count)

    @property
    def end(self) -> int:
        """The first second after the last month."""
        return self.start + self.length * self.count

    @property
    def starts(self) -> np.ndarray:
        """int64[count]: the first second of each month."""
        return self.start + self.length * np.arange(self.count, dtype=np.int64)

    def index(self, times: np.ndarray) -> np.ndarray:
        """The month of each time; times past the end are in the last one."""
        return np.clip((times - self.start) // self.length, 0, self.count - 1)


@dataclass(frozen=True)
class Sessions:
    """Bursts of ratings by one user, ordered by user, then start."""

    user: np.ndarray  # int32
    start: np.ndarray  # int64 seconds
    size: np.ndarray  # int64 ratings


def arrivals(users: int, months: Months, rng: np.random.Generator) -> np.ndarray:
    """int64[users]: the second at which each joins; some months bring many more than others."""
    share = np.exp(0.5 * rng.standard_normal(months.count))
    month = rng.choice(months.count, size=users, p=share / share.sum())
    return months.starts[month] + rng.integers(0, months.length, size=users)


def sessions(
    counts: np.ndarray, arrival: np.ndarray, months: Months, rng: np.random.Generator
) -> Sessions:
    """Cut each user's ratings into a first burst of at least 20 and later, smaller ones."""
    users = len(counts)
    first = 20 + rng.binomial(counts - 20, 0.4)
    rest = counts - first
    later = np.where(rest > 0, 1 + rng.poisson(rest / _LATER_SESSION), 0)
    owner = np.repeat(np.arange(users, dtype=np.int32), later)
    begin = np.concatenate([[0], np.cumsum(later)[:-1]])
    chosen = np.repeat(begin, rest) + (rng.random(rest.sum()) * np.repeat(later, rest)).astype(int)
    size = np.bincount(chosen, minlength=len(owner))
    left = (months.end - arrival[owner]) / (_RETURN_YEARS * YEAR)
    gap = -np.log1p(-rng.random(len(owner)) * -np.expm1(-left))  # exponential, cut at the end
    start = arrival[owner] + DAY // 2 + (gap * _RETURN_YEARS * YEAR).astype(np.int64)
    user = np.concatenate([np.arange(users, dtype=np.int32), owner])
    start = np.concatenate([arrival, start])
    size = np.concatenate([first, size])
    order = np.lexsort((start, user))
    order = order[size[order] > 0]
    return Sessions(user[order], start[order], size[order])


def releases(items: int, months: Months, rng: np.random.Generator) -> np.ndarray:
    """int64[items]: release times; most items are older than the log."""
    old = rng.permutation(items) < np.ceil(_OLD_CATALOGUE * items)
    before = months.start - DAY - (15 * YEAR * rng.exponential(size=items)).astype(np.int64)
    during = rng.integers(months.start, months.end - 2 * months.length, size=items)
    return np.where(old, before, during)


def monthly_weights(
    weight: np.ndarray,
    release: np.ndarray,
    volume: np.ndarray,
    months: Months,
    drift: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """float64[months, items]: how likely an item is drawn in each month; 0 before its release.

    New items draw more, and each item's fashion comes and goes. Rows and columns are then fitted
    in turn (Sinkhorn and Knopp, 1967), so that an item's months add up to ``weight`` and a
    month's items to ``volume``, the ratings given in it.
    """
    age = (months.starts[:, None] - release[None, :]) / YEAR
    period = rng.uniform(5, 15, size=len(release))
    phase = rng.uniform(0, 2 * np.pi, size=len(release))
    years = np.arange(months.count)[:, None] / 12
    fashion = np.sin(2 * np.pi * years / period + phase) + np.log1p(3 * np.exp(-np.maximum(age, 0)))
    table = np.where(age > 0, np.exp(drift * fashion), 0.0)
    for _ in range(20):
        table *= _ratio(weight, table.sum(axis=0))
        table *= _ratio(volume, table.sum(axis=1))[:, None]
    return table


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """0 where there is nothing to scale: a month without ratings, an item after the last one."""
    return np.divide(wanted, found, out=np.zeros(len(found)), where=found > 0)
