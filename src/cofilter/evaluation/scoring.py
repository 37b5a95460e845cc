"""Score one model on held-out rows: ratings and rankings, warm and all, one value a user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from tqdm import tqdm

from cofilter.errors import DataError
from cofilter.evaluation.config import EvaluateConfig as EvaluateConfig
from cofilter.evaluation.config import lower_is_better as lower_is_better
from cofilter.evaluation.config import metric_names as metric_names
from cofilter.evaluation.target import Target
from cofilter.matrix import UNKNOWN
from cofilter.metrics import ranking
from cofilter.metrics.rating import UserErrors, errors_by_user
from cofilter.models.base import BLOCK_SCORES, Recommender

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
    """One model's scores; the per-user arrays follow ``user_ids``."""

    user_ids: np.ndarray
    warm: ScopeScores
    all: ScopeScores
    names: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """JSON-able: ``warm`` and ``all`` metrics, and ``counts`` of both; None where absent."""
        scopes = {scope: getattr(self, scope) for scope in SCOPES}
        metrics = {scope: scores.metrics(self.names) for scope, scores in scopes.items()}
        return {**metrics, "counts": {name: scores.counts for name, scores in scopes.items()}}


def score(
    model: Recommender,
    train: pd.DataFrame,
    seen: pd.DataFrame | None,
    target: pd.DataFrame,
    config: EvaluateConfig,
) -> Scores:
    """Score a model on held-out rows; `Target.of` explains the tables.

    To score several models on one target, make the `Target` once and call `score_target`.
    """
    prepared = Target.of(train, seen, target, config.relevance_threshold)
    return score_target(model, prepared, config)


def score_target(model: Recommender, target: Target, config: EvaluateConfig) -> Scores:
    """Score a model.

    **Ratings.** ``warm``: rows whose user and item are in train. ``all``: every row; where the
    model has no answer of its own, its fallback counts, and its share is given.

    **Rankings.** Candidates are the items of train that the user has not seen. Items that only a
    refitted model knows are no candidates. ``warm``: users in train; relevant items not in train
    are left out and counted as ``cold_relevant``. ``all``: every user; cold relevant items are
    misses, cold users get the model's fallback ranking. In both, users with no relevant item
    left are left out and counted.

    An empty target gives metrics of None and counts of 0. Beyond the model's own scoring, cost
    and memory are linear in the rows and in users × k.

    Raises
    ------
    DataError
        The model gives a rating that is not finite, or its ids are of another kind.
    """
    errors = _rate(model, target) if model.predicts_ratings else _no_ratings()
    ranked = _rank(model, target, config) if model.ranks else _no_rankings()
    warm, everything = (
        ScopeScores(errors[at][0], ranked[at][0], {**errors[at][1], **ranked[at][1]})
        for at in range(len(SCOPES))
    )
    return Scores(target.users.ids, warm, everything, metric_names(config))


Counts = dict[str, int | float | None]


def _no_ratings() -> list[tuple[None, Counts]]:
    return [(None, dict.fromkeys(COUNTS[:2])) for _ in SCOPES]


def _no_rankings() -> list[tuple[None, Counts]]:
    return [(None, dict.fromkeys(COUNTS[2:])) for _ in SCOPES]


def _rate(model: Recommender, target: Target) -> list[tuple[UserErrors, Counts]]:
    predicted, fallback = model.predict(target.user_ids, target.item_ids, return_fallback=True)
    if not np.isfinite(predicted).all():
        at = int(np.argmin(np.isfinite(predicted)))
        user, item = target.user_ids[at].item(), target.item_ids[at].item()
        raise DataError(
            f"{type(model).__name__} predicts {predicted[at]} for user {user!r} and item {item!r}; "
            "a finite rating is expected"
        )
    scopes = []
    for rows in (target.warm_rows, np.ones(len(target), bool)):
        errors = errors_by_user(
            target.user[rows], target.rating[rows], predicted[rows], len(target.users)
        )
        counts: Counts = {
            "rated_rows": int(rows.sum()),
            "rating_fallback_share": _share(fallback[rows]),
        }
        scopes.append((errors, counts))
    return scopes


def _rank(
    model: Recommender, target: Target, config: EvaluateConfig
) -> list[tuple[Ranked, Counts]]:
    everybody = np.ones(len(target.users), bool)
    evaluated = np.flatnonzero(target.n_relevant(warm=False) > 0)
    hits = _hits(model, target, evaluated, max(config.k))
    unknown = model.users_.index(target.users.ids) == UNKNOWN
    cold = target.relevant & (target.item == UNKNOWN)
    scopes = []
    for warm, candidates in ((True, target.user_is_warm), (False, everybody)):
        n_relevant = target.n_relevant(warm=warm)
        chosen = (candidates & (n_relevant > 0))[evaluated]
        user = evaluated[chosen]
        values = {
            f"{name}@{k}": each
            for k in config.k
            for name, each in ranking.at_k(hits[chosen], n_relevant[user], k).items()
        }
        counts: Counts = {
            "ranked_users": len(user),
            "users_without_relevant": int(candidates.sum()) - len(user),
            "cold_relevant": int((cold & candidates[target.user]).sum()),
            "ranking_fallback_share": _share(unknown[user]),
        }
        scopes.append((Ranked(user, n_relevant[user], values), counts))
    return scopes


def _share(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _hits(model: Recommender, target: Target, users: np.ndarray, k: int) -> np.ndarray:
    """bool[users, min(k, model's items)]: is the item at this rank relevant?"""
    n_items = len(target.items)
    item_in_model = model.items_.index(target.items.ids)
    item_in_train = target.items.index(model.items_.ids).astype(np.int64)
    not_candidates = np.flatnonzero(item_in_train == UNKNOWN)
    known = target.relevant & (target.item != UNKNOWN)
    relevant = np.sort(target.user[known].astype(np.int64) * n_items + target.item[known])
    hits = np.zeros((len(users), min(k, len(model.items_))), bool)
    step = max(1, BLOCK_SCORES // max(len(model.items_), 1))
    blocks = tqdm(
        range(0, len(users), step), desc="ranking", unit="block", disable=None, leave=False, delay=2
    )
    for start in blocks:
        block = users[start : start + step]
        excluded = _excluded(target.seen[block], item_in_model, not_candidates, len(model.items_))
        index, _ = model.rank(target.users.ids[block], k, excluded)
        keys = block[:, None] * n_items + item_in_train[index]
        place = np.searchsorted(relevant, keys)
        found = place < len(relevant)
        found[found] = relevant[place[found]] == keys[found]
        hits[start : start + step] = found & (index != UNKNOWN)
    return hits


def _excluded(
    seen: sparse.csr_array, item_in_model: np.ndarray, not_candidates: np.ndarray, n_items: int
) -> sparse.csr_array:
    """A block's seen pairs in the model's item indices, with ``not_candidates`` for each user."""
    rows = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    columns = item_in_model[seen.indices]
    rows, columns = rows[columns != UNKNOWN], columns[columns != UNKNOWN]
    users = np.arange(seen.shape[0])
    row = np.concatenate([rows, np.repeat(users, len(not_candidates))])
    column = np.concatenate([columns, np.tile(not_candidates, len(users))])
    ones = np.ones(len(row), np.float32)
    return sparse.coo_array((ones, (row, column)), shape=(len(users), n_items)).tocsr()
