from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cofilter.core.errors import DataError, TooLargeError
from cofilter.models.ease import closed_form
from cofilter.models.ease.closed_form import Way, gram, way, weights

WAYS = {
    "items": Way("items", np.float64, 0),
    "single": Way("items", np.float32, 0),
    "users": Way("users", np.float64, 0),
}


def histories(n_users: int, n_items: int, seed: int = 0) -> sparse.csr_array:
    rng = np.random.default_rng(seed)
    ratings = rng.integers(1, 6, (n_users, n_items)) * (rng.random((n_users, n_items)) < 0.3)
    return sparse.csr_array(ratings.astype(np.float32))


@pytest.mark.parametrize("shape", [(25, 60), (60, 25), (1, 7), (7, 1)])
@pytest.mark.parametrize("block", [50, 1 << 22])  # entries: a row at a time, and all
@pytest.mark.parametrize(
    ("name", "tolerance"), [("items", 1e-6), ("users", 1e-6), ("single", 2e-5)]
)
def test_every_way_gives_the_weights_of_the_definition(
    shape: tuple[int, int], block: int, name: str, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_form, "BLOCK_ENTRIES", block)
    x = histories(*shape)
    p = np.linalg.inv((x.T @ x).toarray().astype(np.float64) + 3.0 * np.eye(shape[1]))
    expected = -p / np.diag(p)
    np.fill_diagonal(expected, 0.0)
    found = weights(x, 3.0, WAYS[name])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["items", "users"])
def test_items_that_no_user_links_have_no_weight_at_all(name: str) -> None:
    """Exactly none: such items are ranked by popularity."""
    apart = sparse.csr_array(sparse.block_diag([histories(9, 6), histories(8, 5, seed=1)]))
    found = weights(apart.astype(np.float32), 2.0, WAYS[name])
    assert not found[:6, 6:].any()
    assert not found[6:, :6].any()
    assert (found[:6, :6] != 0).sum() == 30


@pytest.mark.parametrize(
    ("shape", "precision", "max_gib", "expected"),
    [
        ((943, 1_682, 100_000), "auto", 8.5, ("items", np.float64)),
        ((1_892, 17_632, 92_834), "auto", 8.5, ("users", np.float64)),
        ((1_892, 17_632, 92_834), "single", 8.5, ("items", np.float32)),
        ((29_858, 40_981, 810_128), "auto", 8.5, ("items", np.float32)),
        ((138_493, 26_744, 20_000_263), "auto", 8.5, ("items", np.float64)),
        ((138_493, 26_744, 20_000_263), "auto", 4.0, ("items", np.float32)),
        ((500, 30_000, 10_000), "double", 4.0, ("users", np.float64)),
    ],
)
def test_the_way_follows_from_shape_and_memory(
    shape: tuple[int, int, int],
    precision: str,
    max_gib: float,
    expected: tuple[str, type],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(closed_form, "require_memory", lambda *_: None)
    found = way(*shape, precision, max_gib)
    assert (found.over, found.dtype) == expected
    assert found.bytes <= max_gib * (1 << 30)


def test_too_large_is_refused_with_the_figure() -> None:
    many = 10**6, 26_744, 10**7
    with pytest.raises(
        TooLargeError, match=r"26,744 items need 8\.1 GiB .* 8; raise it, take ease"
    ):
        way(*many, "double", 8.0)
    with pytest.raises(TooLargeError, match=r"need 2\.8 GiB .* allows 2; raise it, keep fewer"):
        way(*many, "auto", 2.0)
    with pytest.raises(TooLargeError, match=r"need 3,725,290,298\.\d GiB of memory, .* are free"):
        way(10**9, 10**9, 10**9, "auto", 1e10 - 1e9)


def test_a_penalty_that_rounding_swallows_is_said_to_be_too_small() -> None:
    twice = sparse.csr_array(np.ones((3, 2), np.float32) * 4096)
    with pytest.raises(DataError, match=r"not positive definite in float32; raise ease\.l2"):
        weights(twice, 1e-3, WAYS["single"])


def test_gram_is_exact() -> None:
    x = np.random.default_rng(0).integers(0, 6, (40, 17)).astype(np.float32)
    found = gram(sparse.csr_array(x), np.float64)
    assert found.dtype == np.float64
    assert np.array_equal(found, x.astype(np.float64).T @ x.astype(np.float64))
