"""Several models as one: stacked ratings and fused rankings, with given weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.core.matrix import Interactions
from cofilter.models.ensemble.config import EnsembleConfig
from cofilter.models.ensemble.fusion import fuse
from cofilter.recommender.base import Recommender
from cofilter.recommender.best import top_k
from cofilter.recommender.histories import Histories
from cofilter.recommender.inputs import Users
from cofilter.recommender.learner import Trains
from cofilter.recommender.people import People, UserRows, UserState
from cofilter.recommender.scale import AS_THEY_ARE, LearningScale
from cofilter.recommender.sparse import ItemLists


@dataclass(frozen=True)
class Folded:
    """New users as each member has folded them in, in the order of the members."""

    people: tuple[People, ...]

    def __getitem__(self, rows: np.ndarray) -> Folded:
        return Folded(tuple(each.at(rows) for each in self.people))


class Ensemble(Recommender):
    """A weighted blend of models that were fitted to the same ratings.

    **Ratings**, by stacked regression (Wolpert 1992; Breiman 1996):

        r̂_ui = Σ_m w_m r̂_ui^(m),   w_m ≥ 0,   Σ_m w_m = 1

    with each member's own clipped prediction, its fallback included. Where every member falls
    back, so does the ensemble.

    **Rankings**, by weighted reciprocal rank fusion (`cofilter.models.ensemble.fusion.fuse`) of the
    members' ``depth`` best candidates. Items in nobody's list follow by popularity. Where every
    member falls back, so does the ensemble. **Similar items** are fused in the same way from the
    members that know some, with the weights of the ranking (of the ratings when nobody ranks);
    items in nobody's list follow by popularity.

    A new user is folded into every member. Costs are the sums of the members'. Members with
    weights for ratings make the ensemble predict ratings, those with weights for rankings make it
    rank; without any it can do neither.

    `fit` keeps members that are fitted to just these ratings already, and fits those that are not
    fitted, with the trainer that it is given; for one that was fitted to others it fits a new one
    (`for_refit`). The weights are chosen beforehand:
    `cofilter.blending.blend.learn_blend` learns them on validation.
    """

    family = "ensemble"
    may_be_silent = True
    config: EnsembleConfig
    config_class = EnsembleConfig

    def __init__(
        self, config: EnsembleConfig, members: Mapping[str, Recommender] | None = None
    ) -> None:
        super().__init__(config)
        self.predicts_ratings = any(member.rating_weight for member in config.members)
        self.ranks = any(member.ranking_weight for member in config.members)
        self.members = dict(members or {})
        if members is not None:
            _refuse_unable(config, members)
        self._ask_members()

    def for_refit(self) -> Ensemble:
        """An unfitted ensemble of unfitted members, with all that validation chose frozen."""
        return Ensemble(
            self.config, {name: each.for_refit() for name, each in self.members.items()}
        )

    def _fit(
        self, data: Interactions, validation: Interactions | None, trainer: Trains | None
    ) -> None:
        for name, member in self.members.items():
            if not hasattr(member, "data_sha256_"):
                member.fit(data, validation, trainer)
            elif member.data_sha256_ != data.sha256:
                self.members[name] = member.for_refit().fit(data, validation, trainer)

    def _learning_scale(self) -> LearningScale:
        return AS_THEY_ARE  # each member has its own

    def _in_own_unit(self, data: Interactions) -> Interactions:
        return data  # each member takes the weights as they are, or leaves them

    @property
    def _ranks_by_ratings(self) -> bool:
        return False

    def _ask_members(self) -> None:
        """What the ensemble can do because its members can."""
        members = self.members.values()
        self.uses_weights = bool(members) and all(each.uses_weights for each in members)
        if members:
            self.explains = any(each.explains for each, _ in self._weighted("ranking_weight"))

    def _members_histories(self) -> Histories | None:
        """What users have rated, from a member that keeps it; all have the same ratings."""
        kept = (each.histories_ for each in self.members.values())
        return next((histories for histories in kept if histories is not None), None)

    def _history_arrays(self) -> dict[str, np.ndarray]:
        return super()._history_arrays() if self._members_histories() is None else {}

    # Ratings -------------------------------------------------------------------------------

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        scores = np.zeros(len(row))
        own = np.zeros(len(row), bool)
        items = self.items_.ids[item]
        for member, weight in self._weighted("rating_weight"):
            members_users = self._members_users(users.state, member, row)
            predicted, fallback = member.predict(members_users, items, return_fallback=True)
            scores += weight * predicted
            own |= ~fallback
        return scores, own

    # Rankings ------------------------------------------------------------------------------

    def _scores_of_lists(self, users: UserRows, left_out: ItemLists) -> np.ndarray:
        """Fused scores; what is left out takes no place in the members' lists.

        −inf for an item in nobody's list; all of a user's are where every member has only its
        fallback for the user.
        """
        excluded, everybody = left_out.matrix(len(self.items_)), np.arange(left_out.n_rows)
        lists, weights, silent = [], [], np.ones(left_out.n_rows, bool)
        for member, weight in self._weighted("ranking_weight"):
            members_users = self._members_users(users.state, member, everybody)
            ranked, _, fallback = member.rank(
                members_users, self.config.depth, excluded, return_fallback=True
            )
            lists.append(ranked)
            weights.append(weight)
            silent &= fallback
        scores = fuse(lists, weights, self.config.rank_constant, len(self.items_))
        scores[(scores == 0) | silent[:, None]] = -np.inf
        return scores

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        lists, weights = [], []
        each = np.arange(len(item) + 1)
        depth = min(self.config.depth, len(self.items_))
        for member, weight in self._weighted("ranking_weight" if self.ranks else "rating_weight"):
            try:
                scores = member._similarities(item)
            except CapabilityError:
                continue
            lists.append(top_k(scores, each, item, depth)[0])
            weights.append(weight)
        if not lists:
            raise CapabilityError("Ensemble: none of its members knows similar items")
        scores = fuse(lists, weights, self.config.rank_constant, len(self.items_))
        scores[scores == 0] = -np.inf
        return scores

    # Users -----------------------------------------------------------------------------------

    def _user_state(self, user: np.ndarray) -> UserState:
        return user

    def _take_users(self, state: UserState, new: Interactions) -> None:
        """Nothing: the members have the states, and are updated beforehand."""

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        answered = np.bincount(data.user, minlength=len(data.users)) > 0
        people = []
        for member in self._members().values():
            state, own_bias = member._folded(data, item)
            people.append(People(data.users.ids, state, own_bias, answered))
        return Folded(tuple(people))

    def _members_users(self, state: UserState, member: Recommender, rows: np.ndarray) -> Users:
        """Users as a member's `predict` and `rank` take them: ids, or people folded into it."""
        if not isinstance(state, Folded):
            return self.users_.ids[state[rows]]
        at = [each is member for each in self._members().values()].index(True)
        return state.people[at].at(rows)

    # Members ---------------------------------------------------------------------------------

    def _weighted(self, which: str) -> list[tuple[Recommender, float]]:
        """Members with a weight for ratings or rankings, and that weight, in the given order."""
        weights = [(self.members[each.name], getattr(each, which)) for each in self.config.members]
        return [(member, weight) for member, weight in weights if weight > 0]

    def _members(self) -> Mapping[str, Recommender]:
        return {each.name: self.members[each.name] for each in self.config.members}

    def _take_members(self, read: Callable[[str], Recommender]) -> None:
        self.members = {each.name: read(each.name) for each in self.config.members}
        self._ask_members()
        if self.config.keep_seen and self.histories_ is None:
            self.histories_ = self._members_histories()

    def folding_work(self, n_ratings: int) -> float:
        """That of all members."""
        return sum(member.folding_work(n_ratings) for member in self.members.values())

    def _keep_users(self, rows: np.ndarray) -> None:
        users = self.users_.ids[rows]
        self.members = {name: each.of_users(users) for name, each in self.members.items()}

    def _arrays(self) -> dict[str, np.ndarray]:
        return {}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing beyond its members."""


def _refuse_unable(config: EnsembleConfig, members: Mapping[str, Recommender]) -> None:
    """Each named member must be there and be able to do what it has a weight for."""
    names = {member.name for member in config.members}
    if names != members.keys():
        raise ConfigError(
            f"the members {', '.join(sorted(members))} are given, but "
            f"{', '.join(sorted(names))} are expected"
        )
    for each in config.members:
        member = members[each.name]
        if each.rating_weight and not member.predicts_ratings:
            raise ConfigError(f"{each.name} has a weight for ratings, but predicts none")
        if each.ranking_weight and not member.ranks:
            raise ConfigError(f"{each.name} has a weight for rankings, but does not rank")
