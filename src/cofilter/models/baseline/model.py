"""Baselines: what a method must beat to be worth shipping."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.models.baseline.config import BaselineConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import UserRows, UserState

SECONDS_A_DAY = 86_400
SCORES_AT_ONCE = 1 << 20  # random scores drawn together: 8 MiB of uint64, twice


class _Baseline(Recommender):
    """A model whose whole knowledge is in what every model fits: mean, biases and popularity."""

    family = "baseline"
    explains = False

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        """Nothing beyond what every model fits."""

    def _user_state(self, user: np.ndarray) -> UserState:
        return np.empty((len(user), 0), np.float32)

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        return np.empty((len(bias), 0), np.float32)

    def _take_users(self, state: UserState, new: Interactions) -> None:
        """Nothing: users have no state."""

    def _keep_users(self, rows: np.ndarray) -> None:
        """Nothing beyond what every model keeps."""

    def _arrays(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing beyond what every model restores."""


class GlobalMean(_Baseline):
    """Every rating is the mean of the training ratings, cold ones too; cannot rank."""

    needs_ratings = True
    ranks = False

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        biases = self._biases
        self._biases = replace(biases, user=0 * biases.user, item=0 * biases.item)

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(row), self._biases.mean), np.ones(len(row), bool)


class BiasBaseline(_Baseline):
    """mean + user bias + item bias, as `Biases` fits them; ranks by item bias."""

    needs_ratings = True

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return self._biases.predict(users.bias[row], item), np.ones(len(row), bool)

    def _score_items(self, users: UserRows) -> np.ndarray:
        scores = self._biases.mean + users.bias[:, None] + self._biases.item[None]
        return scores.astype(np.float32)


class Popularity(_Baseline):
    """Ranks items by their number of training ratings; predicts no ratings."""

    predicts_ratings = False

    def _score_items(self, users: UserRows) -> np.ndarray:
        return np.repeat(self.popularity_[None].astype(np.float32), len(users.bias), axis=0)


class RecentPopularity(_Baseline):
    """Ranks items by their training ratings, each worth the less the older it is.

        score_i = Σ_u 2^(−(t_end − t_ui) / half_life),   t_end the latest training rating's time

    Predicts no ratings. A new user gets the same list as everybody; an unknown one, without any
    rating of a known item, gets the fallback, plain popularity. O(ratings) operations, 8 bytes an
    item kept.

    Fitted state: ``recent_``, float64[items]; ``latest_``, t_end in seconds.
    """

    predicts_ratings = False
    needs_times = True
    config: BaselineConfig
    config_class = BaselineConfig

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        self.recent_, self.latest_ = self._aged(data)

    def _aged(self, data: Interactions, earlier: int | None = None) -> tuple[np.ndarray, int]:
        """Scores from some rows at the time of the latest one, or of an earlier latest one."""
        if data.timestamp is None:
            raise DataError("recent popularity needs times, but the ratings have no timestamp")
        latest = int(data.timestamp.max())
        latest = latest if earlier is None else max(latest, earlier)
        age = (latest - data.timestamp) / self._half_life
        return np.bincount(data.item, np.exp2(-age), len(data.items)), latest

    @property
    def _half_life(self) -> float:
        """In seconds."""
        return SECONDS_A_DAY * self.config.half_life_days

    def _take_users(self, state: UserState, new: Interactions) -> None:
        scores, latest = self._aged(new, self.latest_)
        waited = (latest - self.latest_) / self._half_life
        self.recent_, self.latest_ = self.recent_ * np.exp2(-waited) + scores, latest

    def _score_items(self, users: UserRows) -> np.ndarray:
        return np.repeat(self.recent_[None].astype(np.float32), len(users.bias), axis=0)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"recent": self.recent_, "latest": np.array(self.latest_)}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.recent_, self.latest_ = arrays["recent"], int(arrays["latest"])


class RandomRanking(_Baseline):
    """Ranks items in a random order of each user's own: what no method may fall below.

    The score of a pair is a hash of (seed, user id, item id) in [0, 1), by SplitMix64's finalizer
    (Steele, Lea and Flood 2014), so it is the same in every process, whoever else is asked for
    and in whatever blocks, and whether the user is known or folded in. Predicts no ratings. An
    unknown user, without any rating of a known item, gets the fallback, plain popularity.
    About 20 integer operations a score, nothing kept.
    """

    predicts_ratings = False

    def _user_state(self, user: np.ndarray) -> UserState:
        return id_keys(self.users_.ids[user])

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        return id_keys(data.users.ids)

    def _score_items(self, users: UserRows) -> np.ndarray:
        user = mix(users.state + mix(np.array([self.config.seed], np.uint64)))
        item = id_keys(self.items_.ids)
        scores = np.empty((len(user), len(item)), np.float32)
        step = max(1, SCORES_AT_ONCE // len(item))
        for start in range(0, len(user), step):
            hashed = mix(mix(item)[None] ^ user[start : start + step, None])
            hashed >>= np.uint64(40)  # 24 bits, which float32 holds exactly
            scores[start : start + step] = hashed
        return scores / np.float32(1 << 24)


def mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's output function of uint64 counters: a bijection, all bits of it look random."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def id_keys(ids: np.ndarray) -> np.ndarray:
    """A uint64 for each id: an integer as it is, of a string its BLAKE2b digest's first 8 bytes."""
    if ids.dtype.kind == "i":
        return ids.astype(np.uint64)
    digests = (hashlib.blake2b(str(each).encode(), digest_size=8).digest() for each in ids)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


KINDS: dict[str, type[_Baseline]] = {
    "global_mean": GlobalMean,
    "bias": BiasBaseline,
    "popularity": Popularity,
    "recent_popularity": RecentPopularity,
    "random": RandomRanking,
}
