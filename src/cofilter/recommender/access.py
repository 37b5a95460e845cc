"""Known users, unknown users and people as models' scoring takes them."""

from __future__ import annotations

import numpy as np

from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import UNKNOWN, Ids, as_ids
from cofilter.recommender.contract import Contract
from cofilter.recommender.histories import Histories
from cofilter.recommender.inputs import Users
from cofilter.recommender.people import People, UserRows


class Access(Contract):
    """Turns what users pass into rows for a model's scoring."""

    def _known(self, user_ids: Ids) -> People:
        """Known and unknown users as people; `_rows` fetches their state when it is needed."""
        user = self.users_.index(user_ids)
        no_state = np.empty((len(user), 0), np.float32)
        return People(as_ids(user_ids), no_state, self._biases.user_bias(user), user != UNKNOWN)

    def _index_of(self, users: Users) -> np.ndarray:
        if isinstance(users, People):
            return np.full(len(users), UNKNOWN, np.int32)
        return self.users_.index(users)

    def _histories(self, users: Users, remedy: str) -> tuple[Histories, np.ndarray]:
        """Histories, and the row of each user among them; `UNKNOWN` for one who has none.

        ``remedy`` ends the line of the `CapabilityError` where nobody kept them.
        """
        if isinstance(users, People):
            histories, rows = users.history, np.arange(len(users))
        else:
            histories, rows = self.histories_, self.users_.index(users)
        if histories is None:
            raise CapabilityError(
                f"{type(self).__name__} was fitted with keep_seen=False and does not know what "
                f"users have rated: {remedy}"
            )
        return histories, rows

    def _rows(self, people: People, user: np.ndarray, rows: np.ndarray) -> UserRows:
        """Some rows for scoring: state from the model for known users, else from the people."""
        known = len(rows) and user[rows[0]] != UNKNOWN
        state = self._user_state(user[rows]) if known else people.state[rows]
        return UserRows(state, people.bias[rows], user[rows])
