"""How far a figure would move with other users: intervals by bootstrap over users, shared between
all figures, and tests by flipping the signs of paired differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cofilter.evaluation.config import UncertaintyConfig
from cofilter.evaluation.kernels.resampling import weighted_sums
from cofilter.recommender.kernels.random import stream_key

Intervals = tuple[np.ndarray, np.ndarray]
_BLOCK = 384  # columns summed at once: 30 MB of sums at 10,000 resamples
_DRAWS, _FLIPS = 1, 2  # names of the streams of random numbers
_TIE = 1e-12  # sums that differ by less than this share of Σ |difference| are equal


def mean_intervals(values: np.ndarray, config: UncertaintyConfig) -> Intervals:
    """Percentile intervals of the mean of each column over users (Efron 1979).

    Users are drawn with replacement, as many as there are, ``config.resamples`` times; a
    column's mean in a resample is over the drawn users that have a value in it. The same
    resamples serve every column, so that columns are compared as pairs: the interval of a
    difference is that of a column of differences.

    Parameters
    ----------
    values:
        float64[users, m], one value a user; NaN where a user has none (is not in the scope, or
        the metric does not exist). Users with NaN everywhere take no part.

    Returns
    -------
    (low, high), float64[m]: the (1 − level) / 2 and (1 + level) / 2 quantiles, interpolated
    linearly. NaN for a column without values; resamples that drew none of a column's users are
    left out of its quantiles. One user gives an interval of length 0.

    Cost: resamples · users draws and resamples · users · columns multiply-adds for every 384
    columns, where each different set of users with values counts as one column more.
    """
    return _joined(values.shape[1], config, lambda some: resampled_means(values[:, some], config))


def ratio_intervals(
    numerator: np.ndarray,
    denominator: np.ndarray,
    config: UncertaintyConfig,
    *,
    root: bool | Sequence[bool] = False,
) -> Intervals:
    """Percentile intervals of Σ numerator / Σ denominator, both summed over drawn users.

    Pooled MAE is Σ absolute / Σ rows, pooled RMSE its ``root`` √(Σ squared / Σ rows): a user
    is drawn with all of its rows, since rows of one user are not independent.

    Parameters
    ----------
    numerator, denominator:
        float64[users, m], finite; a denominator of 0 where a user has nothing. Users with 0
        everywhere take no part.
    root:
        Take the square root of every ratio, or of each column's as it says.

    Returns
    -------
    As `mean_intervals`; NaN where all denominators of a column are 0.
    """

    roots = np.broadcast_to(root, numerator.shape[1:])

    def samples(some: slice) -> np.ndarray:
        return resampled_ratios(numerator[:, some], denominator[:, some], config, root=roots[some])

    return _joined(numerator.shape[1], config, samples)


def resampled_means(values: np.ndarray, config: UncertaintyConfig) -> np.ndarray:
    """Means float64[resamples, m] behind `mean_intervals`; NaN where no user was drawn."""
    there = ~np.isnan(values)
    return resampled_ratios(np.where(there, values, 0.0), there, config)


def resampled_ratios(
    numerator: np.ndarray,
    denominator: np.ndarray,
    config: UncertaintyConfig,
    *,
    root: bool | np.ndarray = False,
) -> np.ndarray:
    """Ratios float64[resamples, m] behind `ratio_intervals`; NaN where the denominator is 0."""
    used = (denominator != 0).any(axis=1)
    m = numerator.shape[1]
    if not used.any():
        return np.full((config.resamples, m), np.nan)
    distinct, which = _distinct_columns(denominator[used])
    columns = np.hstack([numerator[used], distinct])
    sums = weighted_sums(columns, config.resamples, stream_key(config.seed, _DRAWS))
    below = sums[:, m:][:, which]
    ratio = np.full(below.shape, np.nan)
    np.divide(sums[:, :m], below, out=ratio, where=below != 0)
    return np.sqrt(ratio, out=ratio, where=root)


def intervals_of(samples: np.ndarray, level: float) -> Intervals:
    """(low, high) of each column of resampled figures float64[resamples, m], NaN left out."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    broken = np.isnan(samples).any(axis=0)
    found = np.full((2, samples.shape[1]), np.nan)
    found[:, ~broken] = np.quantile(samples[:, ~broken], ends, axis=0)
    for at in np.flatnonzero(broken):
        drawn = samples[~np.isnan(samples[:, at]), at]
        if len(drawn):
            found[:, at] = np.quantile(drawn, ends)
    return found[0], found[1]


def sign_flip_p(differences: np.ndarray, config: UncertaintyConfig) -> np.ndarray:
    """Two-sided p of each column of paired differences, by flipping signs over users.

    If two methods are alike, a user's difference is as likely to have the other sign. p is the
    share of sign patterns whose |Σ| is at least the observed one: of all 2ⁿ patterns of the n users
    with a difference when these are no more than ``config.resamples``, otherwise
    (b + 1) / (m + 1), where b of m = ``config.resamples`` random patterns reach it (Phipson and
    Smyth 2010). Patterns are shared between columns.

    Parameters
    ----------
    differences:
        float64[users, m]; NaN or 0 where a user does not tell the two apart.

    Returns
    -------
    float64[m]; 1 without any difference.
    """
    clean = np.nan_to_num(differences, nan=0.0)
    some = clean[(clean != 0).any(axis=1)]
    n, m = some.shape
    if not n or not m:
        return np.ones(m)
    observed = np.abs(some.sum(axis=0)) - _TIE * np.abs(some).sum(axis=0)
    if n < config.resamples.bit_length():  # 2ⁿ ≤ resamples
        return (np.abs(_all_sign_sums(some)) >= observed).mean(axis=0)
    reached = np.zeros(m, np.int64)
    key = stream_key(config.seed, _FLIPS)
    for columns in _blocks(m):
        sums = weighted_sums(some[:, columns], config.resamples, key, flips=True)
        reached[columns] = (np.abs(sums) >= observed[columns]).sum(axis=0)
    return (reached + 1) / (config.resamples + 1)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of m tests, float64[m] (Holm 1979); controls the chance of any
    false difference.

    The i-th smallest p becomes the largest (m − j + 1) · p₍ⱼ₎ over j ≤ i, at most 1.
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(
        np.maximum.accumulate(np.arange(len(p), 0, -1) * p[order], axis=0), 1.0
    )
    return corrected


def paired_effect_size(differences: np.ndarray) -> np.ndarray:
    """Cohen's d_z of each column of paired differences: mean / standard deviation (n − 1).

    NaN values are left out; NaN with fewer than two users or when all differences are equal.
    """
    there = ~np.isnan(differences)
    n = there.sum(axis=0)
    values = np.where(there, differences, 0.0)
    mean = values.sum(axis=0) / np.maximum(n, 1)
    squares = np.where(there, (values - mean) ** 2, 0.0).sum(axis=0)
    sd = np.sqrt(squares / np.maximum(n - 1, 1))
    size = np.full(len(n), np.nan)
    np.divide(mean, sd, out=size, where=(n > 1) & (sd > _TIE * np.abs(mean)))
    return size


def _all_sign_sums(values: np.ndarray) -> np.ndarray:
    """Sums float64[2^users, m] of every pattern of signs."""
    sums = np.zeros((1, values.shape[1]))
    for row in values:
        sums = np.concatenate([sums + row, sums - row])
    return sums


def _distinct_columns(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float64[users, d], the different columns, and int64[m], which of them each column is."""
    known: dict[bytes, int] = {}
    which = np.empty(matrix.shape[1], np.int64)
    first: list[int] = []
    for at in range(matrix.shape[1]):
        which[at] = known.setdefault(matrix[:, at].tobytes(), len(known))
        if which[at] == len(first):
            first.append(at)
    return matrix[:, first].astype(np.float64), which


def _joined(m: int, config: UncertaintyConfig, samples: Callable[[slice], np.ndarray]) -> Intervals:
    """Intervals of m columns, a block of resampled figures at a time."""
    low, high = np.full(m, np.nan), np.full(m, np.nan)
    for columns in _blocks(m):
        low[columns], high[columns] = intervals_of(samples(columns), config.confidence_level)
    return low, high


def _blocks(m: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, m)) for start in range(0, m, _BLOCK))
