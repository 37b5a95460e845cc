"""What weights blend the models best on validation, and what users left out think of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from pydantic import Field, PositiveInt

from cofilter.blending.forward_selection import Objective, Pool, select
from cofilter.blending.stacking import error_products, stack
from cofilter.core.config import Config
from cofilter.core.matrix import UNKNOWN
from cofilter.metrics import ranking
from cofilter.metrics.rating import errors_by_user
from cofilter.scoring.answers import LIST_LENGTH, Answers, list_users
from cofilter.scoring.config import PrimaryConfig
from cofilter.scoring.target import Target

log = logging.getLogger(__name__)

Figures = dict[str, float | None]

MIN_USERS = 3  # fewer say nothing: with one held out, two must be left to compare


class BlendConfig(Config):
    """Group ``blend``.

    Attributes
    ----------
    seed:
        Of the groups of users and of the bags.
    folds:
        Groups of users: each is predicted by weights learned on the others.
    most_members:
        How many models may have a weight for ratings, see `cofilter.blending.stacking.stack`.
    candidates, bags, steps, min_weight:
        For rankings, see `cofilter.blending.forward_selection.select`.
    rank_constant, depth:
        η and the length of the lists in the fusion, see `cofilter.models.ensemble.model.Ensemble`.
    """

    seed: int = Field(0, ge=0)
    folds: int = Field(5, ge=3)
    most_members: PositiveInt = 8
    candidates: PositiveInt = 20
    bags: PositiveInt = 10
    steps: PositiveInt = 10
    min_weight: float = Field(0.05, ge=0, lt=1)
    rank_constant: float = Field(60.0, ge=0)
    depth: int = Field(100, gt=0, le=LIST_LENGTH)


def groups(n_users: int, config: BlendConfig) -> np.ndarray:
    """A group int64[users] for each user, of equal sizes but for one user; random by the seed."""
    n_groups = min(config.folds, n_users)
    return np.random.default_rng(config.seed).permutation(n_users) % n_groups


def rating_weights(
    answers: Sequence[Answers], target: Target, config: BlendConfig
) -> tuple[np.ndarray, Figures]:
    """Weights of all models for ratings, and the held-out errors of warm rows with their count."""
    raters = [at for at, each in enumerate(answers) if each.predicted is not None]
    rows = np.flatnonzero(target.warm_rows)
    users, user = np.unique(target.user[rows], return_inverse=True)
    weights = np.zeros(len(answers))
    if not raters or len(users) < MIN_USERS:
        _warn("predicts no ratings", "predict ratings", raters, len(users), "row")
        return weights, {"rated_rows": len(rows)}
    predicted = np.column_stack([_predicted(answers[at])[rows] for at in raters])
    rating = target.rating[rows]
    group = groups(len(users), config)[user]
    n_rows = np.bincount(group)
    folds = [error_products(predicted[group == g], rating[group == g]) for g in range(len(n_rows))]
    held_out = np.empty(len(rows))
    for g in range(len(folds)):
        others = np.delete(np.arange(len(folds)), g)
        learned = stack([folds[at] for at in others], n_rows[others], config.most_members)
        held_out[group == g] = predicted[group == g] @ learned
    weights[raters] = stack(folds, n_rows, config.most_members)
    errors = errors_by_user(user, rating, held_out, len(users)).metrics()
    return weights, {**errors, "rated_rows": len(rows)}


def ranking_weights(
    answers: Sequence[Answers], target: Target, config: BlendConfig, evaluate: PrimaryConfig
) -> tuple[np.ndarray, Figures]:
    """Weights of all models for rankings, and held-out metrics, means over users."""
    rankers = [at for at, each in enumerate(answers) if each.ranked is not None]
    users = list_users(target)
    weights = np.zeros(len(answers))
    if not rankers or len(users) < MIN_USERS:
        _warn("does not rank", "rank", rankers, len(users), "relevant item")
        return weights, {"ranked_users": len(users)}
    pool = _pool([_ranked(answers[at], config.depth) for at in rankers], users, target, config)
    objective = objective_of(evaluate)

    def learn(some: np.ndarray) -> np.ndarray:
        return select(
            pool.take(some),
            objective,
            candidates=config.candidates,
            bags=config.bags,
            steps=config.steps,
            min_weight=config.min_weight,
            generator=np.random.default_rng(config.seed),
        )

    group = groups(len(users), config)
    longest = max(evaluate.k)
    hits = np.zeros((len(users), longest), bool)
    for g in np.unique(group):
        own = pool.take(np.flatnonzero(group == g))
        hits[group == g] = own.hits(own.scores(learn(np.flatnonzero(group != g))), longest)
    weights[rankers] = learn(np.arange(len(users)))
    values = {
        f"{name}@{k}": float(each.mean())
        for k in evaluate.k
        for name, each in ranking.at_k(hits, pool.n_relevant, k).items()
    }
    return weights, {**values, "ranked_users": len(users)}


def objective_of(evaluate: PrimaryConfig) -> Objective:
    """The primary metric when it is a ranking's, else NDCG at the first k."""
    name, _, k = evaluate.primary.partition("@")
    return Objective(name, int(k)) if k else Objective("ndcg", evaluate.k[0])


def _pool(
    ranked: Sequence[np.ndarray], users: np.ndarray, target: Target, config: BlendConfig
) -> Pool:
    row_of = np.full(len(target.users), -1)
    row_of[users] = np.arange(len(users))
    counted = target.relevant & (target.item != UNKNOWN) & (row_of[target.user] >= 0)
    relevant = row_of[target.user[counted]], target.item[counted]
    n_relevant = target.n_relevant(warm=True)[users]
    return Pool.of(ranked, relevant, n_relevant, len(target.items), config.rank_constant)


def _predicted(answers: Answers) -> np.ndarray:
    assert answers.predicted is not None
    return answers.predicted


def _ranked(answers: Answers, depth: int) -> np.ndarray:
    assert answers.ranked is not None
    return answers.ranked[:, :depth]


def _warn(cannot: str, able: str, models: Sequence[int], n_users: int, what: str) -> None:
    why = (
        f"{n_users} warm validation users have a {what}, {MIN_USERS} are needed to learn weights"
        if models
        else f"none of the models can {able}"
    )
    log.warning("the ensemble %s: %s", cannot, why)
