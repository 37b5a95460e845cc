from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cofilter.core.matrix import Interactions
from cofilter.models.mf.kernels.blocks import GROUPS, cut, deal
from tests.models.contract import ratings_table


@pytest.mark.parametrize("shape", [(300, 200), (3, 2), (1, 1)])
def test_every_rating_is_in_its_block_once(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    pair = rng.permutation(shape[0] * shape[1])[: max(1, shape[0] * shape[1] // 3)]
    user, item = (side.astype(np.int32) for side in np.divmod(pair, shape[1]))
    value = rng.normal(size=len(pair)).astype(np.float32)
    weight = rng.uniform(size=len(pair)).astype(np.float32)
    grid = cut(user, item, value, weight, shape, rng)
    assert sorted(grid.user_order) == list(range(shape[0]))
    assert sorted(grid.item_order) == list(range(shape[1]))
    key = np.repeat(np.arange(GROUPS * shape[0]), np.diff(grid.start))
    group, row = np.divmod(key, shape[0])
    ids = grid.user_order[row], grid.item_order[grid.item]
    found = zip(*ids, grid.value, grid.weight, strict=True)
    assert sorted(found) == sorted(zip(user, item, value, weight, strict=True))
    # An item's ratings are all in one item group, so a diagonal's blocks share no item.
    groups_of_item = np.unique(np.stack([grid.item, group]), axis=1)[0]
    assert len(groups_of_item) == len(np.unique(grid.item))


def test_groups_have_about_equal_ratings() -> None:
    count = (20_000 / np.arange(1, 2_000)).astype(np.int64)  # popularity as steep as Zipf's
    order, bound = deal(count, np.random.default_rng(0))
    sums = [count[order[a:b]].sum() for a, b in pairwise(bound)]
    assert sum(sums) == count.sum()
    assert max(sums) == count.max()  # that item alone, more than a fair share
    assert max(sums[1:]) < 1.1 * np.mean(sums[1:])


def test_the_cut_depends_on_the_seed_alone() -> None:
    data = Interactions.of(ratings_table())
    parts = data.user, data.item, data.rating, None, data.shape
    one, same, other = (cut(*parts, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one.user_order, other.user_order)
