"""Bayesian factorization: every parameter is sampled, so nothing is tuned and doubt is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cofilter.core.matrix import UNKNOWN, Interactions
from cofilter.models.bayes.config import BayesConfig
from cofilter.models.bayes.kernels.gibbs import LANES, draw_rows, feature_sums
from cofilter.models.bayes.kernels.predict import pair_moments
from cofilter.models.bayes.sampler import GibbsSampler, require_room
from cofilter.models.bayes.side import SHARED_WORK, Ratings, Stream, pieces_of, row_work
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.learner import Arrays, Learner
from cofilter.recommender.people import UserRows, UserState

NEWCOMERS = 3  # whose random numbers folding in takes, beside those of users, items and noise
NOISE_ROUNDS = 3  # alternations of a new user's vector and noise; later ones change the 4th digit


class BayesianFactorization(IterativeRecommender):
    """r_ui = μ + b_u + c_i + P_u·Q_i + ε,  ε ~ N(0, 1 / (α ω_u ω_i w_ui)), μ the ratings' mean.

    The vector (P_u, b_u) is normal around m + |N(u)|^(−1/2) Σ_{j ∈ N(u)} y_j (``plain``: around
    m), N(u) being the items that u rated; (Q_i, c_i) likewise, around the sum of z_v over the
    users v who rated i. All normals have independent dimensions, whose means and precisions are
    sampled too, as is α (Salakhutdinov and Mnih 2008; the implicit sides as in Rendle, Zhang and
    Koren 2019, without products within a user's or an item's own part, which their biases
    absorb). ω ~ Gamma(ν / 2, ν / 2) lets some users and items be noisier than others, ν being
    sampled (Lakshminarayanan, Bouchard and Archambeau 2011); ``noise: shared`` sets ω = 1. w is the
    row's weight, 1 without: with inverse propensities the posterior is that of the weighted log
    likelihood. The standard deviation of an answer is that of a rating of weight 1.

    A prediction is the mean over the kept draws of the chain, its standard deviation the root of
    the draws' variance plus their mean noise: that of the rating itself. Ranks by predictions.

    A new user is folded in draw by draw: a vector from its conditional normal given the draw's
    items, features and hyper-parameters, ω_u at its conditional mean. The random numbers are the
    same for everybody, so that an answer depends on nobody else's history.

    Fitted state, for K kept draws: ``user_`` and ``item_``, float32[n, K · (dim + 2)], all draws'
    factors, then biases, then noise variances (whose product is a rating's).
    """

    family = "bayes"
    needs_ratings = True
    uses_weights = True
    remedy = "lower bayes.dim, or look for ratings far outside the scale"
    knows_std = True
    config: BayesConfig
    config_class = BayesConfig

    def require(self, n_users: int, n_items: int, n_ratings: int) -> None:
        """Memory for the kept draws."""
        require_room(self.config, n_users, n_items, n_ratings)

    def _learner(self, data: Interactions) -> Learner:
        self.require(*data.shape, len(data))
        return GibbsSampler(self.config, data, self._biases.mean)

    def _epochs_matter(self) -> bool:
        return True  # they say which draws are kept

    def _set(self, parameters: Arrays) -> None:
        self.user_ = _side_by_side(parameters["user"], parameters["user_noise"])
        self.item_ = _side_by_side(parameters["item"], parameters["item_noise"])
        self._feature, self._prior = parameters["feature"], parameters["prior"]

    def _rating_watch(self, data: Interactions, validation: Interactions) -> Any:
        """As the base's; sums up predictions as draws are kept, instead of all anew each time."""
        user = self.users_.index(validation.users.ids)[validation.user]
        item = self.items_.index(validation.items.ids)[validation.item]
        warm = (user != UNKNOWN) & (item != UNKNOWN)
        if not warm.any():
            return super()._rating_watch(data, validation)
        user, item, truth = user[warm], item[warm], validation.rating[warm].astype(np.float64)
        total, n_summed = np.zeros(len(truth)), 0

        def predicted(parameters: Arrays, draw: int) -> np.ndarray:
            p, q = parameters["user"][draw][user], parameters["item"][draw][item]
            product = np.einsum("nd,nd->n", p[:, :-1], q[:, :-1])
            return self._biases.mean + p[:, -1] + q[:, -1] + product.astype(np.float64)

        def watch(parameters: Arrays) -> dict[str, float]:
            nonlocal n_summed
            for draw in range(n_summed, int(parameters["n_kept"][0])):
                total[:] += predicted(parameters, draw)
                n_summed += 1
            mean = total / n_summed if n_summed else predicted(parameters, 0)
            return self._watched_rmse(np.clip(mean, *self._learning.limits) - truth)

        return watch

    @property
    def _n_kept(self) -> int:
        return len(self._prior)

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.user_[user]

    def _take_users(self, state: UserState, new: Interactions) -> None:
        self.user_ = state

    def _moments(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return pair_moments(users.state, self.item_, row, item, self._n_kept, self.config.dim)

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        mean, _ = self._moments(users, row, item)
        return self._biases.mean + mean, np.ones(len(row), bool)

    def _pair_std(self, users: UserRows, row: np.ndarray, item: np.ndarray) -> np.ndarray:
        return self._moments(users, row, item)[1]

    def _score_items(self, users: UserRows) -> np.ndarray:
        end = self._n_kept * self.config.dim
        product = users.state[:, :end] @ self.item_[:, :end].T
        product /= self._n_kept
        product += self._biases.mean + self._mean_bias(users.state)[:, None]
        product += self._mean_bias(self.item_)
        return product

    def _mean_bias(self, table: np.ndarray) -> np.ndarray:
        first = self._n_kept * self.config.dim
        return table[:, first : first + self._n_kept].mean(axis=1)

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """Cosine of the factors of all kept draws; draws may be rotated against each other."""
        factors = self.item_[:, : self._n_kept * self.config.dim]
        length = np.linalg.norm(factors, axis=1, keepdims=True)
        unit = np.divide(factors, length, out=np.zeros_like(factors), where=length > 0)
        return unit[item] @ unit.T

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        shape = len(data.users), len(self.items_)
        known = replace(data, items=self.items_, item=item)
        rows, own_root, told = Ratings.of(known.by_user, known.weight_by_user, self._biases.mean)
        width, n_kept = self.config.dim + 1, self._n_kept
        count, work = np.diff(rows.start), row_work(rows, width)
        batches = pieces_of(work)
        weight = (1.0 / np.sqrt(np.maximum(count, 1))).astype(np.float32)
        sums, error = np.zeros((shape[0], width), np.float32), np.zeros(shape[0])
        drawn = np.zeros((n_kept, shape[0], width), np.float32)
        noise = np.empty((n_kept, shape[0]), np.float32)
        few = work.sum() < SHARED_WORK
        for draw, prior in enumerate(self._prior):
            centre, precision, (alpha, spread) = np.split(prior, [width, 2 * width])
            if self.config.kind == "sided":
                with few_threads(few):
                    feature_sums(rows, weight, _grouped(self._feature[draw]), sums)
            vectors, root = self._items_of(draw)
            key = Stream(self.config.seed, draw, NEWCOMERS).key(0)
            own = np.ones(shape[0])
            around = (sums + centre).astype(np.float32)
            for _ in range(NOISE_ROUNDS if self.config.noise == "own" else 1):
                for pieces in batches:
                    with few_threads(few):
                        draw_rows(
                            rows, pieces, vectors, root, own_root, around, precision, alpha * own,
                            key, 0, drawn[draw], error,
                        )  # fmt: skip
                if self.config.noise == "own":
                    own = (spread + told) / (spread + alpha * error)
            noise[draw] = 1.0 / (alpha * own)
        return _side_by_side(drawn, noise)

    def _items_of(self, draw: int) -> tuple[np.ndarray, np.ndarray]:
        """Items' vectors, float32[items, dim + 1], and roots of their ω in one kept draw."""
        dim, n_kept = self.config.dim, self._n_kept
        vectors = np.empty((len(self.item_), dim + 1), np.float32)
        vectors[:, :-1] = self.item_[:, draw * dim : (draw + 1) * dim]
        vectors[:, -1] = self.item_[:, n_kept * dim + draw]
        return vectors, 1.0 / np.sqrt(self.item_[:, n_kept * (dim + 1) + draw])

    def folding_work(self, n_ratings: int) -> float:
        """That of one model of factors for each kept draw."""
        dim = self.config.dim + 1
        return float(self._n_kept * (dim**2 * (n_ratings + dim) + dim * len(self.items_)))

    def _keep_users(self, rows: np.ndarray) -> None:
        self.user_ = self.user_[rows]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "user": self.user_, "item": self.item_, "feature": self._feature, "prior": self._prior
        }  # fmt: skip

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.user_, self.item_ = arrays["user"], arrays["item"]
        self._feature, self._prior = arrays["feature"], arrays["prior"]


def _side_by_side(vectors: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """float32[n, K · (dim + 2)] of float32[K, n, dim + 1] vectors and float32[K, n] variances."""
    n_kept, n, width = vectors.shape
    factors = vectors[:, :, :-1].transpose(1, 0, 2).reshape(n, n_kept * (width - 1))
    return np.concatenate([factors, vectors[:, :, -1].T, noise.T], axis=1)


def _grouped(feature: np.ndarray) -> np.ndarray:
    """float32[groups, n, LANES] of float32[n, width], as the kernels take features."""
    n, width = feature.shape
    groups = -(-width // LANES)
    padded = np.zeros((n, groups * LANES), np.float32)
    padded[:, :width] = feature
    return np.ascontiguousarray(padded.reshape(n, groups, LANES).transpose(1, 0, 2))


KINDS: dict[str, type[BayesianFactorization]] = {
    "plain": BayesianFactorization,
    "sided": BayesianFactorization,
}
