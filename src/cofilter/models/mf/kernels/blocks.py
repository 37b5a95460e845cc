"""Ratings cut into a grid of blocks, of which many can be trained on at once without a conflict.

Users and items are each dealt into `GROUPS` groups with about equal numbers of ratings. Block
(a, b) holds the ratings of user group a on item group b. The blocks of one *diagonal*,
(a, (a + shift) mod GROUPS) for all a, share no user and no item, so that they may run at the
same time without locks, and the result is that of running them in any order (Gemulla et al.
2011, "Large-scale matrix factorization with distributed stochastic gradient descent").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cofilter.core.compiled import compiled

GROUPS = 16  # workers that a diagonal can keep busy; an item group of MovieLens 20M fits a 1 MB L2


class Grid(NamedTuple):
    """Ratings sorted by (item group, user) and both sides renumbered, group after group.

    Attributes
    ----------
    user_order, item_order:
        int64[users] and int64[items], the original index of each renumbered row.
    user_bound:
        int64[GROUPS + 1], where each group of users begins.
    start:
        int64[GROUPS · users + 1]: the ratings of user u on item group b are those from
        ``start[b · users + u]``.
    item, value:
        int32[n] renumbered item and float32[n] value of each rating.
    weight:
        float32[n], weight of each rating; one 1 where all count alike.
    """

    user_order: np.ndarray
    item_order: np.ndarray
    user_bound: np.ndarray
    start: np.ndarray
    item: np.ndarray
    value: np.ndarray
    weight: np.ndarray


def cut(
    user: np.ndarray,
    item: np.ndarray,
    value: np.ndarray,
    weight: np.ndarray | None,
    shape: tuple[int, int],
    generator: np.random.Generator,
) -> Grid:
    """Cut the ratings (int32 user, int32 item, float32 value)[n] of ``shape`` (users, items).

    ``weight``: float32[n] of them; None where all count alike.

    Cost: two passes over the ratings, O(n + GROUPS · users); 8 bytes a rating (12 with
    weights) are kept, and as many more while it runs.
    """
    n_users, n_items = shape
    user_order, user_bound = deal(np.bincount(user, minlength=n_users), generator)
    item_order, item_bound = deal(np.bincount(item, minlength=n_items), generator)
    group = np.repeat(np.arange(GROUPS), np.diff(item_bound))
    user_row, item_row = _inverse(user_order), _inverse(item_order)
    weight = np.ones(1, np.float32) if weight is None else weight
    ratings = _sort(user, item, value, weight, user_row, item_row, group)
    return Grid(user_order, item_order, user_bound, *ratings)


def deal(count: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Deal rows with these numbers of ratings into `GROUPS` groups of about equal sums.

    In falling order of ratings, each to the group that has the fewest so far; the order of equal
    rows, and that within a group, is random. Gives (int64[rows] the rows, group after group;
    int64[GROUPS + 1] where each group begins).
    """
    shuffled = generator.permutation(len(count))
    falling = shuffled[np.argsort(-count[shuffled], kind="stable")]
    group = _to_the_lightest(falling, count)
    order = generator.permutation(len(count))
    order = order[np.argsort(group[order], kind="stable")]
    return order, np.concatenate([[0], np.cumsum(np.bincount(group, minlength=GROUPS))])


@compiled()
def _to_the_lightest(rows: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Group of each row, int64, when they are dealt in this order."""
    group, load = np.empty(len(rows), np.int64), np.zeros(GROUPS, np.int64)
    for row in rows:
        lightest = np.argmin(load)
        group[row] = lightest
        load[lightest] += count[row]
    return group


def _inverse(order: np.ndarray) -> np.ndarray:
    row = np.empty(len(order), np.int64)
    row[order] = np.arange(len(order))
    return row


@compiled()
def _sort(
    user: np.ndarray,
    item: np.ndarray,
    value: np.ndarray,
    weight: np.ndarray,
    user_row: np.ndarray,
    item_row: np.ndarray,
    group: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counting sort by (group of the item, row of the user), in the given order within both."""
    n, n_users = len(value), len(user_row)
    start = np.zeros(GROUPS * n_users + 1, np.int64)
    for rating in range(n):
        key = group[item_row[item[rating]]] * n_users + user_row[user[rating]]
        start[key + 1] += 1
    for key in range(len(start) - 1):
        start[key + 1] += start[key]
    place = start[:-1].copy()
    items, values = np.empty(n, np.int32), np.empty(n, np.float32)
    every = 1 if len(weight) > 1 else 0
    weights = weight.copy()
    for rating in range(n):
        row = item_row[item[rating]]
        key = group[row] * n_users + user_row[user[rating]]
        items[place[key]] = row
        values[place[key]] = value[rating]
        weights[place[key] * every] = weight[rating * every]
        place[key] += 1
    return start, items, values, weights
