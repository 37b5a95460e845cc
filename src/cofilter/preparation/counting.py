"""Rules that judge users and items by their number of ratings."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cofilter.core.columns import ITEM, USER

FORCED = "forced"  # bool column: no rule drops the row

# Takes the rows that count and the rule's number; gives the ids that pass, by column.
Rule = Callable[[pl.DataFrame, int], dict[str, pl.Series]]


def at_least(column: str) -> Rule:
    """Ids with at least so many rows."""

    def passing(counted: pl.DataFrame, minimum: int) -> dict[str, pl.Series]:
        return {column: _counts(counted, column).filter(pl.col("len") >= minimum)[column]}

    return passing


def top(column: str) -> Rule:
    """The n ids with the most rows; among equals the smaller ids."""

    def passing(counted: pl.DataFrame, n: int) -> dict[str, pl.Series]:
        ranked = _counts(counted, column).sort(["len", column], descending=[True, False])
        return {column: ranked.head(n)[column]}

    return passing


def k_core(counted: pl.DataFrame, k: int) -> dict[str, pl.Series]:
    """Users and items with at least k rows each in the k-core of the rows.

    The k-core is what is left when rows of users and items with fewer than k rows are dropped
    until none is (Seidman 1983, here on the bipartite graph; parallel rows count). Forced rows
    stay and count, so the result does not depend on the order of dropping.
    """
    rows = counted.select(USER, ITEM, FORCED)
    while True:
        before = rows.height
        for column in (USER, ITEM):
            few = _counts(rows, column).filter(pl.col("len") < k)[column]
            if len(few):
                rows = rows.filter(pl.col(FORCED) | ~pl.col(column).is_in(few.implode()))
        if rows.height == before:
            return at_least(USER)(rows, k) | at_least(ITEM)(rows, k)


def _counts(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return rows.group_by(column).len()


COUNTING_RULES: dict[str, Rule] = {
    "top_users": top(USER),
    "top_items": top(ITEM),
    "min_user_ratings": at_least(USER),
    "min_item_ratings": at_least(ITEM),
    "k_core": k_core,
}
