"""Score one model on held-out rows: ratings and rankings, warm and all, one value a user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN
from cofilter.metrics import ranking
from cofilter.metrics.rating import UserErrors, errors_by_user
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import ScoreConfig, metric_names
from cofilter.scoring.lists import RankedLists, ranked_lists
from cofilter.scoring.target import Target

Counts = dict[str, int | float | None]

SCOPES = ("warm", "all")
COUNTS = (
    "rated_rows",
    "rating_fallback_share",
    "ranked_users",
    "users_without_relevant",
    "cold_relevant",
    "ranking_fallback_share",
)


@dataclass(frozen=True)
class Ranked:
    """Ranking metrics of the users of one scope who have a relevant item.

    Attributes
    ----------
    user:
        int64[users], indices in ``Scores.user_ids``, ascending.
    n_relevant:
        int64[users].
    values:
        float64[users] a metric, such as "ndcg@10".
    """

    user: np.ndarray
    n_relevant: np.ndarray
    values: dict[str, np.ndarray]


@dataclass(frozen=True)
class ScopeScores:
    """One model's scores on warm or on all rows.

    Attributes
    ----------
    errors:
        Of all the target's users; None when the model predicts no ratings.
    ranked:
        None when the model does not rank.
    counts:
        The `COUNTS`; None where the model does not rate or rank, or nothing is left.
    """

    errors: UserErrors | None
    ranked: Ranked | None
    counts: dict[str, int | float | None]

    def metrics(self, names: tuple[str, ...]) -> dict[str, float | None]:
        """Metrics by name: means over users, errors pooled; None where there is none."""
        values: dict[str, float | None] = dict.fromkeys(names)
        if self.errors is not None:
            values.update(self.errors.metrics())
        if self.ranked is not None and len(self.ranked.user):
            values.update({name: float(each.mean()) for name, each in self.ranked.values.items()})
        return values


@dataclass(frozen=True)
class Scores:
    """One model's scores; the per-user arrays follow ``user_ids``.

    Attributes
    ----------
    predicted:
        float32[rows] of the target; None when the model predicts no ratings.
    lists:
        What was ranked, of every user with a relevant item; None when the model does not rank.
    """

    user_ids: np.ndarray
    warm: ScopeScores
    all: ScopeScores
    names: tuple[str, ...]
    predicted: np.ndarray | None
    lists: RankedLists | None

    def scope(self, name: str) -> ScopeScores:
        """One of `SCOPES`."""
        return self.warm if name == "warm" else self.all

    def summary(self) -> dict[str, Any]:
        """JSON-able: ``warm`` and ``all`` metrics, and ``counts`` of both; None where absent."""
        scopes = {scope: self.scope(scope) for scope in SCOPES}
        metrics = {scope: scores.metrics(self.names) for scope, scores in scopes.items()}
        return {**metrics, "counts": {name: scores.counts for name, scores in scopes.items()}}


def score(
    model: Recommender,
    train: pd.DataFrame,
    seen: pd.DataFrame | None,
    target: pd.DataFrame,
    config: ScoreConfig,
) -> Scores:
    """Score a model on held-out rows; `Target.of` explains the tables.

    To score several models on one target, make the `Target` once and call `score_target`.
    """
    prepared = Target.of(
        train,
        seen,
        target,
        config.relevance_threshold,
        model.config.scale,
        weighted=config.weighted,
    )
    return score_target(model, prepared, config)


def score_target(model: Recommender, target: Target, config: ScoreConfig) -> Scores:
    """Score a model.

    **Ratings**, of a target that has ratings, not clicks or counts. ``warm``: rows whose user
    and item are in train. ``all``: every row; where the model has no answer of its own, its
    fallback counts, and its share is given.

    **Rankings.** Candidates are the items of train that the user has not seen. Items that only a
    refitted model knows are no candidates. ``warm``: users in train; relevant items not in train
    are left out and counted as ``cold_relevant``. ``all``: every user; cold relevant items are
    misses, cold users get the model's fallback ranking. In both, users with no relevant item
    left are left out and counted, and so is the share of those whose list is popularity's alone.

    **Weights.** A target with weights counts each row with its own, in both; the counts do not.

    An empty target gives metrics of None and counts of 0. Beyond the model's own scoring, cost
    and memory are linear in the rows and in users × k.

    Raises
    ------
    DataError
        The model gives a rating or a score that is not finite, or its ids are of another kind.
    """
    predicted, lists, errors = None, None, _no_ratings()
    if model.predicts_ratings and target.rated:
        predicted, fallback = _predict(model, target)
        errors = _rate(predicted, fallback, target)
    if model.ranks:
        lists = ranked_lists(model, target, ranked_users(target), max(config.k))
    return _scores(target, config, lists, errors, predicted)


def score_lists(lists: RankedLists, target: Target, config: ScoreConfig) -> Scores:
    """Score ranked lists of the `ranked_users` alone, as `score_target` scores a model's."""
    return _scores(target, config, lists, _no_ratings())


def ranked_users(target: Target) -> np.ndarray:
    """Users whose lists are scored, those with a relevant item: int64[n], ascending."""
    return np.flatnonzero(target.n_relevant(warm=False) > 0)


def _scores(
    target: Target,
    config: ScoreConfig,
    lists: RankedLists | None,
    errors: Sequence[tuple[UserErrors | None, Counts]],
    predicted: np.ndarray | None = None,
) -> Scores:
    ranked = _no_rankings() if lists is None else _rank(lists, target, config)
    warm, everything = (
        ScopeScores(errors[at][0], ranked[at][0], {**errors[at][1], **ranked[at][1]})
        for at in range(len(SCOPES))
    )
    names = metric_names(config)
    return Scores(target.users.ids, warm, everything, names, predicted, lists)


def _no_ratings() -> list[tuple[UserErrors | None, Counts]]:
    return [(None, dict.fromkeys(COUNTS[:2])) for _ in SCOPES]


def _no_rankings() -> list[tuple[Ranked | None, Counts]]:
    return [(None, dict.fromkeys(COUNTS[2:])) for _ in SCOPES]


def _predict(model: Recommender, target: Target) -> tuple[np.ndarray, np.ndarray]:
    predicted, fallback = model.predict(target.user_ids, target.item_ids, return_fallback=True)
    if not np.isfinite(predicted).all():
        at = int(np.argmin(np.isfinite(predicted)))
        user, item = target.user_ids.item(at), target.item_ids.item(at)
        raise DataError(
            f"{type(model).__name__} predicts {predicted[at]} for user {user!r} and item {item!r}; "
            "a finite rating is expected"
        )
    return predicted, fallback


def _rate(
    predicted: np.ndarray, fallback: np.ndarray, target: Target
) -> list[tuple[UserErrors | None, Counts]]:
    scopes: list[tuple[UserErrors | None, Counts]] = []
    for rows in (target.warm_rows, np.ones(len(target), bool)):
        errors = errors_by_user(
            target.user[rows],
            target.rating[rows],
            predicted[rows],
            len(target.users),
            None if target.weight is None else target.weight[rows],
        )
        counts: Counts = {
            "rated_rows": int(rows.sum()),
            "rating_fallback_share": _share(fallback[rows]),
        }
        scopes.append((errors, counts))
    return scopes


def _rank(
    lists: RankedLists, target: Target, config: ScoreConfig
) -> list[tuple[Ranked | None, Counts]]:
    everybody = np.ones(len(target.users), bool)
    evaluated, hits = lists.user, lists.hits
    cold = target.relevant & (target.item == UNKNOWN)
    scopes: list[tuple[Ranked | None, Counts]] = []
    for warm, candidates in ((True, target.user_is_warm), (False, everybody)):
        n_relevant = target.n_relevant(warm=warm)
        chosen = (candidates & (n_relevant > 0))[evaluated]
        user = evaluated[chosen]
        if target.weight is None:
            at_k = partial(ranking.at_k, hits[chosen], n_relevant[user])
        else:
            weights = target.relevant_weights(max(config.k), warm=warm).take(user)
            found = target.weights_of(user, lists.item[chosen]) * hits[chosen]
            at_k = partial(ranking.weighted_at_k, found, weights)
        values = {f"{name}@{k}": each for k in config.k for name, each in at_k(k).items()}
        counts: Counts = {
            "ranked_users": len(user),
            "users_without_relevant": int(candidates.sum()) - len(user),
            "cold_relevant": int((cold & candidates[target.user]).sum()),
            "ranking_fallback_share": _share(lists.fallback[chosen]),
        }
        scopes.append((Ranked(user, n_relevant[user], values), counts))
    return scopes


def _share(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if len(flags) else None
