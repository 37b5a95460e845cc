from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial import chebyshev
from scipy import sparse
from scipy.stats import rankdata

from cofilter import GraphFilter
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.models.graph.model import default_rank, preferences, right_vectors
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People
from tests.models.contract import SCALE, ModelContract, ratings_table

KINDS = ["gfcf", "chebyshev"]


class TestGFCF(ModelContract):
    def make(self) -> Recommender:
        return GraphFilter(kind="gfcf", scale=SCALE)

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


class TestChebyshev(ModelContract):
    def make(self) -> Recommender:
        return GraphFilter(kind="chebyshev", scale=SCALE, degree=3, rank=4)

    def constant(self, model: Recommender, person: People) -> float:
        return 0.0


def by_definition(table: pd.DataFrame, model: GraphFilter) -> np.ndarray:
    """Scores float64[users, items] with every matrix dense and the filter of the whole spectrum."""
    config = model.config
    ratings = table.pivot(index=USER, columns=ITEM, values=RATING).to_numpy(np.float64)
    x = np.zeros_like(ratings)
    for row, own in enumerate(ratings):
        rated = ~np.isnan(own)
        place = (rankdata(own[rated]) - 0.5) / rated.sum()
        x[row, rated] = 1 - config.preference + 2 * config.preference * place
    degree = x.sum(axis=0)
    normalized = x / np.sqrt(x.sum(axis=1)[:, None] * degree)
    _, values, right = np.linalg.svd(normalized, full_matrices=True)
    squares = np.zeros(len(right))
    squares[: len(values)] = values**2
    rank = model.vectors_.shape[1]
    low = config.low_pass * right[:rank].T @ right[:rank]
    if config.kind == "gfcf":
        smooth = (degree**-0.5)[:, None] * low * degree**0.5
        return x @ (normalized.T @ normalized + smooth)
    h = chebyshev.Chebyshev.interpolate(
        lambda t: 0.5 - 0.5 * np.sign(t) * np.abs(t) ** config.flatness, config.degree
    )
    kernel = right.T @ np.diag(h(1 - 2 * squares) - h(1.0)) @ right + low
    return x @ ((degree**-config.item_power)[:, None] * kernel * degree**config.item_power)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 5, 20])
def test_scores_are_the_definition_with_dense_matrices(kind: str, rank: int) -> None:
    table = ratings_table()
    model = GraphFilter(kind=kind, rank=rank, degree=5, item_power=0.3).fit(table)
    users = model.users_.ids
    items, scores = model.recommend(users, len(model.items_), exclude_seen=False)
    expected = by_definition(table, model)
    wanted = np.take_along_axis(expected, model.items_.index(items.ravel()).reshape(items.shape), 1)
    np.testing.assert_allclose(scores, wanted, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_user_with_a_known_user_s_ratings_gets_the_same_list(kind: str) -> None:
    table = ratings_table()
    model = GraphFilter(kind=kind).fit(table)
    people = model.fold_in(table[table[USER].isin([30, 70])])
    folded, known = (model.recommend(users, 9) for users in (people, [30, 70]))
    assert all(np.array_equal(a, b) for a, b in zip(folded, known, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_of_the_scale_changes_nothing(kind: str) -> None:
    table = ratings_table()
    large = table.assign(**{RATING: 20 * table[RATING] - 20})  # 0 to 80
    one, other = (GraphFilter(kind=kind).fit(each).recommend([0, 50], 8) for each in (table, large))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_groups_without_a_common_user_are_not_recommended_to_each_other(kind: str) -> None:
    """Two groups of users and items; what another group has follows by popularity."""
    rng = np.random.default_rng(0)
    rows = [(u, i) for u in range(40) for i in range(40) if u % 2 == i % 2 and rng.random() < 0.4]
    table = pd.DataFrame(rows, columns=[USER, ITEM]).assign(**{RATING: 1.0})
    model = GraphFilter(kind=kind).fit(table)
    count = table.groupby(ITEM).size()
    for user in range(6):
        items, _ = model.recommend(user, 40)
        own = set(range(user % 2, 40, 2)) - set(table.loc[table[USER] == user, ITEM])
        assert set(items[0][: len(own)]) == own
        rest = [item for item in items[0][len(own) :] if item >= 0]
        assert all(item % 2 != user % 2 for item in rest)
        assert [count[item] for item in rest] == sorted((count[i] for i in rest), reverse=True)


def test_percentiles_count_ties_in_the_middle_and_clicks_alike() -> None:
    ratings = sparse.csr_array(np.array([[5.0, 1.0, 3.0, 3.0], [2.0, 0.0, 2.0, 2.0]]))
    found = preferences(ratings, 0.5).toarray()
    np.testing.assert_allclose(found[0], [0.5 + 7 / 8, 0.5 + 1 / 8, 1.0, 1.0])
    np.testing.assert_allclose(found[1], [1.0, 0.0, 1.0, 1.0])
    assert (preferences(ratings, 0.0).data == 1).all()


@pytest.mark.parametrize("shape", [(30, 200), (200, 30), (90, 120)])
def test_sparse_and_dense_singular_vectors_span_the_same(shape: tuple[int, int]) -> None:
    matrix = sparse.random_array(shape, density=0.2, rng=np.random.default_rng(1), format="csr")
    found = right_vectors(sparse.csr_array(matrix), 5).astype(np.float64)
    expected = np.linalg.svd(matrix.toarray())[2][:5].T
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)
    assert found.tobytes() == right_vectors(sparse.csr_array(matrix), 5).astype(float).tobytes()


def test_users_who_weigh_alike_give_equal_bits_too() -> None:
    """Each user of a ring shares one item with each neighbour: ones are a singular vector."""
    n = 120
    user = np.repeat(np.arange(n), 2)
    item = np.stack([np.arange(n), (np.arange(n) + 1) % n], axis=1).ravel()
    table = pd.DataFrame({USER: user, ITEM: item, RATING: 1.0})
    one, other = (GraphFilter(rank=20).fit(table).vectors_ for _ in range(2))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("shape", "rank"),
    [
        ((943, 1_637, 69_963), 59),  # dense: a sixteenth of the users
        ((610, 8_551, 70_550), 85),
        ((1_892, 14_175, 64_986), 256),  # sparse: more, up to 256
        ((14_175, 1_892, 64_986), 256),
        ((100_000, 300, 5_000_000), 19),
        ((10, 5, 20), 1),
    ],
)
def test_sparse_data_have_more_vectors(shape: tuple[int, int, int], rank: int) -> None:
    assert default_rank(*shape) == rank
