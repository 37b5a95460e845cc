"""Lists re-ranked for diversity, against popularity, or to a user's genres.

A list is made of the model's own best items; nothing else can enter it. An objective gives up
relevance for what it wants, by a strength λ from 0 to 1.

**Relevance** of a candidate is its score, mapped for each user so that the best of the user's
candidates has 1 and the worst 0. So λ means the same for models whose scores have different units.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from scipy import sparse

from cofilter.core.errors import CapabilityError, DataError
from cofilter.core.matrix import as_ids, transposed
from cofilter.metrics.beyond import ALPHA
from cofilter.recommender.base import Recommender
from cofilter.recommender.factors import FactorRecommender
from cofilter.recommender.inputs import Users, list_length
from cofilter.recommender.people import People
from cofilter.recommender.ranking import as_table, to_ids
from cofilter.recommender.sparse import ItemLists
from cofilter.reranking.config import Kind, RerankingConfig
from cofilter.reranking.genres import Genres, Texts
from cofilter.reranking.kernels.calibration import calibrated
from cofilter.reranking.kernels.mmr import mmr_by_factors, mmr_by_raters

if TYPE_CHECKING:
    import pandas as pd


class Reranker:
    """Re-ranks one model's lists; what a kind needs is prepared at its first use and kept.

    Kinds, for a user u, candidates i, relevance r and strength λ:

    - ``mmr``, maximal marginal relevance (Carbonell and Goldstein 1998): one after the other the
      candidate with the largest (1 − λ) r_i − λ max_{j chosen} cos(i, j). The first is the model's
      best. The cosine is that of item factors for models of factors (`FactorRecommender`), of who
      has rated the two items, whatever the rating, for all others.
    - ``popularity``: the largest (1 − λ) r_i − λ p_i, with p_i = log(1 + ratings of i), mapped to
      0 … 1 over the user's candidates as the relevance is. Ranking by the inverse of popularity
      among the candidates is that of Adomavicius and Kwon (2012), who have a threshold for λ.
    - ``genres``, calibration (Steck 2018): one after the other the candidate that makes
      (1 − λ) Σ r − λ KL(p ‖ (1 − α) q + α p) of the list largest, α = 0.01. p are the mean genre
      shares of what the user has rated, q those of the list; an item's genres share it equally.
      Items without genres do not count in either. Who has rated nothing with genres keeps the
      model's list.

    With λ = 0 a list is the model's own, to the bit. Equal candidates stay in the model's order,
    where ties go by item. Users that the model does not know keep their list by popularity, and so
    does the end of a list where the model has nothing to say.
    """

    def __init__(self, model: Recommender, genres: Texts | None = None) -> None:
        """For a fitted model that ranks.

        Parameters
        ----------
        genres:
            Text such as "Comedy|Drama" by item id, as `cofilter.core.titles.read_genres` gives it.

        Raises
        ------
        CapabilityError
            The model does not rank.
        """
        if not model.ranks:
            raise CapabilityError(f"{type(model).__name__} does not rank: nothing to re-rank")
        self.model = model
        self._text = genres

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds that the model and the genres allow."""
        remembers = self.model.seen_ is not None
        able: dict[Kind, bool] = {
            "mmr": remembers or isinstance(self.model, FactorRecommender),
            "popularity": True,
            "genres": remembers and bool(len(self.genres.names)),
        }
        return tuple(kind for kind, possible in able.items() if possible)

    @overload
    def recommend(
        self,
        users: Users,
        k: int,
        config: RerankingConfig,
        *,
        exclude_seen: bool = ...,
        exclude: pd.DataFrame | None = ...,
        as_frame: Literal[False] = ...,
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def recommend(
        self,
        users: Users,
        k: int,
        config: RerankingConfig,
        *,
        exclude_seen: bool = ...,
        exclude: pd.DataFrame | None = ...,
        as_frame: Literal[True],
    ) -> pd.DataFrame: ...

    def recommend(
        self,
        users: Users,
        k: int,
        config: RerankingConfig,
        *,
        exclude_seen: bool = True,
        exclude: pd.DataFrame | None = None,
        as_frame: bool = False,
    ) -> tuple[np.ndarray, np.ndarray] | pd.DataFrame:
        """As the model's `recommend`, re-ranked: (items[n, k], scores float32[n, k]) or a table.

        Scores are the model's own, so that they keep their unit; they do not fall along a list.

        Examples
        --------
        >>> import pandas as pd
        >>> from cofilter import Popularity, Reranker, RerankingConfig
        >>> histories = {1: ["Alien", "Aliens"], 2: ["Alien", "Aliens", "Brazil"]}
        >>> histories |= {3: ["Alien", "Aliens", "Brazil", "Dune"], 4: ["Brazil", "Dune"]}
        >>> pairs = [(user, item) for user, items in histories.items() for item in items]
        >>> ratings = pd.DataFrame(pairs, columns=["user_id", "item_id"]).assign(rating=5.0)
        >>> again = Reranker(Popularity().fit(ratings))
        >>> for strength in (0.0, 0.5, 0.8):
        ...     how = RerankingConfig(kind="mmr", strength=strength)
        ...     items, _ = again.recommend(1, 3, how, exclude_seen=False)
        ...     print(strength, *items[0])
        0.0 Alien Aliens Brazil
        0.5 Alien Brazil Aliens
        0.8 Alien Dune Brazil

        Raises
        ------
        CapabilityError
            The model was fitted without ``keep_seen`` and does not know what users have rated,
            which is needed to exclude it and by the kinds ``genres`` and, without factors, ``mmr``.
        DataError
            Kind ``genres``, and no item has a genre; k below 1, or ids of another kind.
        """
        excluded = self.model.excluded(users, exclude_seen, exclude)
        index, scores = self.rank(users, k, config, excluded)
        items = to_ids(index, self.model.items_)
        if not as_frame:
            return items, scores
        return as_table(users.ids if isinstance(users, People) else as_ids(users), items, scores)

    def rank(
        self,
        users: Users,
        k: int,
        config: RerankingConfig,
        excluded: sparse.csr_array | ItemLists | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """As the model's `rank`, re-ranked: int32[n, k] with −1 as padding, float32[n, k]."""
        k = list_length(k, len(self.model.items_))
        depth = min(max(k, config.depth), len(self.model.items_))
        return self.reordered(users, *self.model.rank_own(users, depth, excluded), k, config)

    def reordered(
        self,
        users: Users,
        items: np.ndarray,
        scores: np.ndarray,
        own: np.ndarray,
        k: int,
        config: RerankingConfig,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best of candidates as the model's `rank_own` gives them, re-ranked, as `rank`.

        There are at least k of each user, or as many as the model has items; of more than
        ``config.depth`` the rest takes no part while k is not larger.
        """
        k = min(k, items.shape[1])
        depth = max(k, min(config.depth, items.shape[1]))
        items, scores, own = items[:, :depth], scores[:, :depth], np.minimum(own, depth)
        places = self._places(users, items, scores, own, k, config)
        chosen, score = (np.take_along_axis(each, places, axis=1) for each in (items, scores))
        return chosen, score

    def _places(
        self,
        users: Users,
        items: np.ndarray,
        scores: np.ndarray,
        own: np.ndarray,
        k: int,
        config: RerankingConfig,
    ) -> np.ndarray:
        """Where in the candidates each of the k chosen ones stands, int[n, k]."""
        if config.strength == 0:
            return np.tile(np.arange(k), (len(items), 1))
        relevance = _to_unit(scores.astype(np.float64), own)
        if config.kind == "popularity":
            return self._less_popular(items, relevance, own, config.strength)[:, :k]
        chosen = items, own, relevance, config.strength
        if config.kind == "genres":
            if not len(self.genres.names):
                raise DataError(
                    f"none of the {len(self.model.items_):,} items has a genre: there is nothing "
                    "to re-rank by; genres come with the titles of items"
                )
            wanted = self.genres.of_lists(self._histories(users))
            return calibrated(*chosen, wanted, *self.genres.by_item, ALPHA, k)
        if isinstance(self.model, FactorRecommender):
            return mmr_by_factors(*chosen, self.model.item_[:, :-1], k)
        return mmr_by_raters(*chosen, *self._raters, len(self.model.users_), k)

    def _less_popular(
        self, items: np.ndarray, relevance: np.ndarray, own: np.ndarray, strength: float
    ) -> np.ndarray:
        popular = _to_unit(np.log1p(self.model.popularity_)[items], own)
        value = (1 - strength) * relevance - strength * popular
        value[np.arange(items.shape[1]) >= own[:, None]] = -np.inf
        return np.argsort(-value, axis=1, kind="stable")

    @cached_property
    def genres(self) -> Genres:
        """Genres of the model's items."""
        return Genres.of(self._text, self.model.items_)

    @cached_property
    def _raters(self) -> ItemLists:
        """Who has rated each item."""
        seen = self._kept(self.model.seen_).matrix(len(self.model.items_))
        return ItemLists.of(transposed(seen), len(self.model.items_))

    def _histories(self, users: Users) -> ItemLists:
        """What each user has rated; nothing for unknown ones."""
        if isinstance(users, People):
            return self._kept(users.seen)
        return self._kept(self.model.seen_).take(self.model.users_.index(users))

    def _kept(self, seen: ItemLists | None) -> ItemLists:
        if seen is None:
            raise CapabilityError(
                f"{type(self.model).__name__} was fitted with keep_seen=False and does not know "
                "what users have rated, which this kind of re-ranking needs"
            )
        return seen


def _to_unit(values: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Rows float64[n, m] with their first ``own`` values mapped to 0 … 1; 0 where all are equal.

    What follows is 0.
    """
    there = np.arange(values.shape[1]) < own[:, None]
    low = np.where(there, values, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    span = np.where(there, values, -np.inf).max(axis=1, keepdims=True, initial=-np.inf) - low
    mapped = np.subtract(values, low, out=np.zeros_like(values), where=there)
    return np.divide(mapped, span, out=np.zeros_like(values), where=there & (span > 0))
