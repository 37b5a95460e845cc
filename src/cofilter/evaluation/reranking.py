"""What re-ranking the shipped model's lists costs and brings, strength by strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cofilter.evaluation.beyond import Catalogue, beyond_accuracy
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import DIFFERENCE, with_ends
from cofilter.evaluation.plots import MODEL
from cofilter.evaluation.uncertainty import mean_intervals
from cofilter.metrics.beyond import DEFINITIONS, MISCALIBRATION, miscalibration
from cofilter.recommender.base import Recommender
from cofilter.reranking.config import RerankingConfig
from cofilter.reranking.genres import Genres
from cofilter.reranking.reranker import Reranker
from cofilter.scoring.lists import Candidates, best_candidates, judged
from cofilter.scoring.scores import ranked_users, score_lists
from cofilter.scoring.target import Target

KIND, STRENGTH, USERS = "kind", "strength", "users"


def columns(config: EvaluateConfig) -> list[str]:
    """Columns of the table, in order; metrics are of warm users, at the primary's k."""
    k = config.list_length
    beyond = [f"{name}@{k}" for name in (*DEFINITIONS, MISCALIBRATION)]
    figures = [*with_ends(f"ndcg@{k}"), *with_ends(DIFFERENCE), *beyond]
    return [MODEL, KIND, STRENGTH, *figures, USERS]


def reranking_curves(
    name: str,
    model: Recommender,
    genres: pd.Series | None,
    target: Target,
    catalogue: Catalogue,
    config: EvaluateConfig,
) -> pd.DataFrame:
    """Each kind of re-ranking that the model and the data allow, scored as the leaderboard does.

    Candidates are what the leaderboard ranks, the best ``reranking.depth`` of each user. A strength
    of 0 is the model's own list. ``difference`` is NDCG less that of the own list, paired over
    users, with the interval of the same resamples as all others. `MISCALIBRATION` compares a list's
    genres with those of the user's train and validation rows; users without are left out.

    Returns
    -------
    A row a kind and strength, `columns`; only the header where nothing is asked for, the model
    does not rank, or nobody is ranked for.
    """
    if not model.ranks or not target.evaluable_warm_users:
        return pd.DataFrame(columns=columns(config))
    again, users = Reranker(model, genres), ranked_users(target)
    wanted = {kind: config.reranking.scored(kind) for kind in again.kinds}
    if not any(wanted.values()):
        return pd.DataFrame(columns=columns(config))
    depth = max(config.reranking.depth, config.list_length)
    candidates = best_candidates(model, target, users, depth)
    scored = _Lists(again, target, catalogue, Genres.of(genres, target.items), candidates, config)
    own = scored.of(None)
    rows, values = [], []
    for kind, strengths in wanted.items():
        for strength in (0.0, *strengths):
            how = RerankingConfig(kind=kind, strength=strength, depth=depth)
            found = scored.of(how) if strength else own
            rows.append({MODEL: name, KIND: kind, STRENGTH: strength} | found.figures)
            values += [found.ndcg, found.ndcg - own.ndcg]
    low, high = mean_intervals(np.column_stack(values), config.uncertainty)
    for at, row in enumerate(rows):
        for of, figure in enumerate((f"ndcg@{config.list_length}", DIFFERENCE)):
            ends = float(values[2 * at + of].mean()), low[2 * at + of], high[2 * at + of]
            row.update(zip(with_ends(figure), ends, strict=True))
    return pd.DataFrame(rows, columns=columns(config))


@dataclass(frozen=True)
class _Found:
    """Figures of one kind and strength, and each warm user's NDCG."""

    figures: dict[str, Any]
    ndcg: np.ndarray


@dataclass(frozen=True)
class _Lists:
    """What the lists of one model are made of and scored by."""

    again: Reranker
    target: Target
    catalogue: Catalogue
    genres: Genres
    candidates: Candidates
    config: EvaluateConfig

    def of(self, how: RerankingConfig | None) -> _Found:
        """Score lists re-ranked so; None: the model's own."""
        user, item, score, own = self.candidates
        config, k = self.config, self.config.list_length
        if how is not None:
            ids = self.target.users.ids[user]
            item, _ = self.again.reordered(ids, item, score, own, k, how)
        lists = judged(self.again.model.items_, self.target, user, item[:, :k], own == 0)
        scores = score_lists(lists, self.target, config)
        beyond = beyond_accuracy(scores, self.catalogue, config)["warm"].metrics(config)
        ranked = scores.warm.ranked
        assert ranked is not None
        warm = lists.item[np.searchsorted(user, ranked.user)]
        had = self.genres.of_lists(self.target.seen_by(ranked.user))
        far = miscalibration(had, self.genres.of_padded(warm))
        figures: dict[str, Any] = {name: beyond[f"{name}@{k}"] for name in DEFINITIONS}
        figures[MISCALIBRATION] = None if np.isnan(far).all() else float(np.nanmean(far))
        named = {f"{name}@{k}": value for name, value in figures.items()}
        return _Found(named | {USERS: len(ranked.user)}, ranked.values[f"ndcg@{k}"])
