from __future__ import annotations

import numba
import numpy as np
import pytest

from cofilter.models.bpr.kernels.alias import Weighted, draw, weighted
from cofilter.recommender.kernels.random import random64, stream_key


@numba.njit
def numbers(key: np.uint64, n: int) -> np.ndarray:
    found = np.empty(n, np.uint64)
    for index in range(n):
        found[index] = random64(key, np.uint64(index))
    return found


@numba.njit
def draws(table: Weighted, numbers: np.ndarray) -> np.ndarray:
    return np.array([draw(table, number) for number in numbers])


def test_the_stream_is_splitmix64_s() -> None:
    """First numbers of the authors' C program for the state 0."""
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert numbers(np.uint64(0), 3).tolist() == expected


def test_streams_of_other_names_have_other_keys() -> None:
    names = [(0, 0), (0, 1), (1, 0), (1 << 32, 0), (0, 1 << 32), (-1, 0), (0, -1)]
    assert len({int(stream_key(*name)) for name in names}) == len(names)
    assert stream_key(7, 3) == stream_key(7, 3)


@pytest.mark.parametrize("weight", [[1.0], [1.0, 1.0, 1.0], [5.0, 1.0, 0.25, 90.0, 3.0]])
def test_chances_of_an_alias_table_are_the_weights(weight: list[float]) -> None:
    table = weighted(np.array(weight))
    chance = np.asarray(table.keep, float)
    np.add.at(chance, table.alias, 1.0 - np.asarray(table.keep, float))
    np.testing.assert_allclose(chance / len(weight), np.array(weight) / sum(weight), rtol=1e-5)


def test_draws_follow_the_weights() -> None:
    weight, n = np.array([1.0, 2.0, 3.0, 10.0]), 100_000
    found = np.bincount(draws(weighted(weight), numbers(np.uint64(5), n)), minlength=4) / n
    np.testing.assert_allclose(found, weight / 16, atol=0.006)  # four standard deviations
