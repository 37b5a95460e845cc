"""The order in time that a kind of split promises, proved from the parts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import polars as pl

from cofilter.core.columns import ITEM, TIMESTAMP, USER
from cofilter.core.errors import LeakError
from cofilter.core.parts import PARTS
from cofilter.preparation.instants import Instants, moment

GLOBAL, PER_USER, NONE = "global", "per user", "none"
PROMISED = {"global_temporal": GLOBAL, "user_temporal": PER_USER, "leave_last_out": PER_USER}

FIRST, LAST = "first", "last"


def prove_order(tables: Mapping[str, pl.DataFrame], kind: str, instants: Instants | None) -> str:
    """Prove what ``kind`` promises, and state the order that the parts show.

    ``global_temporal``
        Every row is on its part's side of the instants: train < validation instant ≤ validation
        < test instant ≤ test.
    ``user_temporal``
        No row of a user is later than a row of the same user in a later part. Equal times pass:
        the split divides them by their order in the log, which the parts do not show.
    ``leave_last_out``
        The same, and no user has two validation rows or two test rows. So a test row is the
        user's last.
    the random kinds
        Promise nothing, so nothing is proved, and an order that came by chance is not stated.

    Costs one group-by of each part and joins of one row a user.

    Returns
    -------
    ``global`` when every row of a part is before every row of the later parts, ``per user`` when
    only the rows of each user are in order, ``none`` for the random kinds.

    Raises
    ------
    LeakError
        The parts break the promise; the message names a user or a row that does.
    """
    if kind not in PROMISED:
        return NONE
    bare = [name for name, table in tables.items() if TIMESTAMP not in table.columns]
    if bare:
        raise LeakError(
            f"kind {kind} promises an order in time, but {' and '.join(bare)} has no {TIMESTAMP}"
        )
    if PROMISED[kind] == GLOBAL:
        if instants is None:
            raise LeakError(f"kind {kind} promises an order by two instants, and there are none")
        _prove_sides(tables, instants)
        return GLOBAL
    users = {name: by_user(table) for name, table in tables.items()}
    for earlier, later in combinations(PARTS, 2):
        _prove_user_order(tables, users, earlier, later)
    if kind == "leave_last_out":
        for name in PARTS[1:]:
            _prove_single(tables[name], users[name], name)
    return GLOBAL if is_global(users) else PER_USER


def _prove_sides(tables: Mapping[str, pl.DataFrame], instants: Instants) -> None:
    if instants.validation > instants.test:
        raise LeakError(
            f"validation begins at {moment(instants.validation)}, after test, which begins at "
            f"{moment(instants.test)}"
        )
    time = pl.col(TIMESTAMP)
    for part, instant, begins in (
        ("train", instants.validation, "validation"),
        ("validation", instants.test, "test"),
    ):
        late = tables[part].filter(time >= instant)
        if late.height:
            row = _row(late.sort(TIMESTAMP).tail(1))
            raise LeakError(
                f"{part} holds a row at {row}, but {begins} begins at {moment(instant)}"
            )
        early = tables[begins].filter(time < instant)
        if early.height:
            raise LeakError(
                f"{begins} holds a row at {_row(early.sort(TIMESTAMP).head(1))}, but it begins at "
                f"{moment(instant)}"
            )


def by_user(table: pl.DataFrame) -> pl.DataFrame:
    """Each user's rows, first time and last time."""
    return table.group_by(USER).agg(
        pl.len().alias("rows"),
        pl.col(TIMESTAMP).min().alias(FIRST),
        pl.col(TIMESTAMP).max().alias(LAST),
    )


def _prove_user_order(
    tables: Mapping[str, pl.DataFrame],
    users: Mapping[str, pl.DataFrame],
    earlier: str,
    later: str,
) -> None:
    both = users[earlier].select(USER, LAST).join(users[later].select(USER, FIRST), on=USER)
    wrong = both.filter(pl.col(LAST) > pl.col(FIRST)).sort(USER)
    if wrong.is_empty():
        return
    user, last, first = wrong.row(0)
    rows = [
        _row(tables[name].filter((pl.col(USER) == user) & (pl.col(TIMESTAMP) == time)))
        for name, time in ((earlier, last), (later, first))
    ]
    raise LeakError(
        f"{wrong.height} users have a {earlier} row later than one in {later}, first: {earlier} "
        f"holds a row at {rows[0]}, but {later} one at {rows[1]}"
    )


def _prove_single(table: pl.DataFrame, users: pl.DataFrame, name: str) -> None:
    wrong = users.filter(pl.col("rows") > 1).sort(USER)
    if wrong.is_empty():
        return
    user, count = wrong.select(USER, "rows").row(0)
    second = table.filter(pl.col(USER) == user).slice(1)
    raise LeakError(
        f"leave_last_out puts one row of a user in {name}, but {wrong.height} users have more, "
        f"first user {user!r} with {count}, the second at {_row(second)}"
    )


def is_global(users: Mapping[str, pl.DataFrame]) -> bool:
    """Whether every row of a part is before every row of the later parts; empty parts are."""
    spans = [(users[name][FIRST].min(), users[name][LAST].max()) for name in PARTS]
    return all(
        before[1] is None or after[0] is None or before[1] < after[0]  # type: ignore[operator]
        for before, after in combinations(spans, 2)
    )


def _row(rows: pl.DataFrame) -> str:
    """The time, user and item of the first of ``rows``, for messages."""
    time: Any
    user, item, time = rows.select(USER, ITEM, TIMESTAMP).row(0)
    return f"{moment(time)} (user {user!r}, item {item!r})"
