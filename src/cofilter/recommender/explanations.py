"""Why an item is recommended: which of a user's own ratings carried it, and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from scipy import sparse

from cofilter.core.columns import BECAUSE, ITEM, RANK, SHARE, USER
from cofilter.core.errors import CapabilityError
from cofilter.core.matrix import UNKNOWN, Ids, Interactions, row_of
from cofilter.recommender.histories import Histories
from cofilter.recommender.inputs import Users, list_length, paired
from cofilter.recommender.people import People, UserRows, distinct_users
from cofilter.recommender.ranking import to_ids
from cofilter.recommender.rankings import Rankings
from cofilter.recommender.removal import shares_by_removal

if TYPE_CHECKING:
    import pandas as pd

BLOCK_ENTRIES = 1 << 22  # pairs × items of a block, which is the most that a family's shares take


class Explanations(Rankings):
    """Adds `explain` to a model."""

    @overload
    def explain(
        self, users: Users, items: Ids, n: int = ..., *, as_frame: Literal[False] = ...
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def explain(
        self, users: Users, items: Ids, n: int = ..., *, as_frame: Literal[True]
    ) -> pd.DataFrame: ...

    def explain(
        self, users: Users, items: Ids, n: int = 3, *, as_frame: bool = False
    ) -> tuple[np.ndarray, np.ndarray] | pd.DataFrame:
        """The user's own ratings that carried an item's ranking score, and how much.

        A share is in the unit of the score that ranks: in ratings of the source where the model
        ranks by ratings. Where ``shares_are_exact`` those of a whole history sum to the score less
        a constant that the class names. Else they are by removal: the score less the score of the
        same history without the one rating, both folded in. Such shares are what a rating adds to
        all others, which may say the same, and sum to nothing in particular; a user with n ratings
        costs n + 1 fold-ins.

        Parameters
        ----------
        users:
            User ids, or `People`, one for each of ``items``; a single one is asked for all items.
        items:
            Item ids; a single one is asked for all users.
        n:
            How many reasons; at most as many as there are items are given.
        as_frame:
            Give a table with user_id, item_id, because (the rated item), rank (from 1) and share,
            a row a reason.

        Returns
        -------
        (items[pairs, n], shares float32[pairs, n]), largest share first, ties by ascending item
        id. A negative share speaks against the item, so it comes after all positive ones and is
        given only where n leaves room. Ratings with a share of 0 are no reasons. Where there are
        fewer reasons, the item is −1 (or "" for string ids) and the share 0; a table has fewer
        rows then.

        There are no reasons for an unknown user, a person without a rating of a known item, an
        unknown item, and an item that the model has nothing to say of, so that popularity ranks
        it. An item that the user has rated may be explained, too.

        Examples
        --------
        >>> import pandas as pd
        >>> from cofilter import EASE
        >>> ratings = pd.DataFrame(
        ...     {"user_id": [1, 1, 2, 2, 3], "item_id": [10, 20, 10, 20, 10], "rating": 4.0}
        ... )
        >>> EASE(kind="binary").fit(ratings).explain(3, 20, n=2)[0].tolist()
        [[10, -1]]

        Raises
        ------
        CapabilityError
            The model does not rank, ranks everybody alike whatever they have rated, or was fitted
            without ``keep_seen`` and does not know what users have rated (`People` bring it).
        DataError
            n below 1, ids of another kind than the model's, or users and items that do not pair up.
        """
        self._refuse_no_reasons()
        users, item = paired(users, self.items_.index(items))
        n = list_length(n, len(self.items_), "n")
        histories, history_row = self._histories(users, "pass People, as fold_in gives them")
        people = users if isinstance(users, People) else self._known(users)
        user = self._index_of(users)
        reasons = np.full((len(item), n), UNKNOWN, np.int32)
        shares = np.zeros((len(item), n), np.float32)
        own = np.flatnonzero(people.answered & (item != UNKNOWN))
        step = max(1, BLOCK_ENTRIES // len(self.items_))
        for start in range(0, len(own), step):
            at = own[start : start + step]
            first, row = distinct_users(user[at], people.ids[at])
            rows = self._rows(people, user, at[first])
            history = self._as_learned(histories.take(history_row[at[first]]))
            found = self._shares(rows, row, item[at], history)
            reasons[at], shares[at] = largest(self._in_ranking_unit(found), n)
        because = to_ids(reasons, self.items_)
        if not as_frame:
            return because, shares
        import pandas as pd

        pair, place = np.nonzero(reasons != UNKNOWN)
        explained = self.items_.ids[item[pair]]
        columns = people.ids[pair], explained, because[pair, place], place + 1, shares[pair, place]
        names = (USER, ITEM, BECAUSE, RANK, SHARE)
        return pd.DataFrame(dict(zip(names, columns, strict=True)))

    def _refuse_no_reasons(self) -> None:
        name = type(self).__name__
        if not self.ranks:
            raise CapabilityError(f"{name} does not rank: it has nothing to explain")
        if not self.explains:
            raise CapabilityError(
                f"{name} ranks items for everybody alike, whatever a user has rated: it has "
                "nothing to explain"
            )

    def _as_learned(self, histories: Histories) -> Interactions:
        """Histories on the scale and with the weights that the model learns."""
        return self._learning.learned(self._in_own_unit(histories.interactions(self.items_)))

    def _in_ranking_unit(self, shares: sparse.csr_array) -> sparse.csr_array:
        unit = self._learning.unit if self._ranks_by_ratings else 1.0
        parts = (unit * shares.data).astype(np.float32), shares.indices, shares.indptr
        return sparse.csr_array(parts, shape=shares.shape)

    def _shares(
        self, users: UserRows, row: np.ndarray, item: np.ndarray, history: Interactions
    ) -> sparse.csr_array:
        """CSR float[pairs, items]: what the ratings of user row[p] say for item[p], as learned.

        Entries lie at items of the user's history; those of 0 are no reasons. ``history`` has
        the users' ratings as `_fold_in` takes them, ``history.item`` being this model's indices.

        This one is by removal: |history| + 1 fold-ins of a history a user, and as many scores.
        """
        return shares_by_removal(self, row, item, history)


def largest(shares: sparse.csr_array, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The n largest stored entries of each row that are not 0, ties by ascending column.

    Gives (int32[rows, n] with `UNKNOWN` as padding, float32[rows, n] with 0).
    """
    n_rows = shares.shape[0]
    kept = shares.data != 0
    row, column, value = row_of(shares)[kept], shares.indices[kept], shares.data[kept]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    fits = place < n
    items = np.full((n_rows, n), UNKNOWN, np.int32)
    best = np.zeros((n_rows, n), np.float32)
    items[row[fits], place[fits]] = column[fits]
    best[row[fits], place[fits]] = value[fits]
    return items, best
