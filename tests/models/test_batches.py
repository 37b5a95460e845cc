"""Work that is cut into batches: none is lost, and several give what one gives."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import USER
from cofilter.core.matrix import Interactions
from cofilter.models.als.learner import AlternatingFactors
from cofilter.models.als.model import ExplicitALS, ImplicitALS
from cofilter.models.baseline.model import RandomRanking
from cofilter.models.bayes.model import BayesianFactorization
from cofilter.models.bayes.sampler import GibbsSampler
from cofilter.models.bayes.side import pieces_of
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.mf.svdpp import SVDPlusPlus
from cofilter.models.ncf.model import RatingNetwork
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Learner
from tests.models.contract import ratings_table

ALS = "cofilter.models.als.learner.BATCH_WORK"
BAYES = "cofilter.models.bayes.side.BATCH_WORK"
ADAM: dict[str, Any] = {"optimizer": "adam", "engine": "torch", "dim": 4, "batch_size": None}


@pytest.fixture
def table() -> pd.DataFrame:
    return ratings_table(60, 40)


def trained(learner: Learner, epochs: int) -> tuple[list[list[int]], list[float]]:
    """Ticks of each epoch, and its loss."""
    ticks, losses = [], []
    for epoch in range(1, epochs + 1):
        ticks.append([])
        losses.append(learner.run_epoch(epoch, ticks[-1].append))
    return ticks, losses


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("kind", ["explicit", "implicit"])
@pytest.mark.parametrize("solver", ["cholesky", "cg"])
def test_als_solves_every_row_in_batches_as_at_once(
    kind: str, solver: str, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = {"explicit": ExplicitALS, "implicit": ImplicitALS}[kind]
    if kind == "explicit" and solver == "cg":
        pytest.skip("it has one solver")
    config, data = cls(dim=5, solver=solver).config, Interactions.of(table)
    whole = AlternatingFactors(config, data, 3.0)
    ticks, losses = trained(whole, 2)
    assert [len(each) for each in ticks] == [2, 2]  # users, items
    monkeypatch.setattr(ALS, 20_000)
    cut = AlternatingFactors(config, data, 3.0)
    cut_ticks, cut_losses = trained(cut, 2)
    assert all(len(each) > 20 for each in cut_ticks)
    assert [sum(each) for each in cut_ticks] == [2 * len(data)] * 2
    assert same(cut.state(), whole.state())
    assert cut_losses == pytest.approx(losses, rel=1e-12)


@pytest.mark.parametrize("cls", [ExplicitALS, ImplicitALS])
def test_als_folds_everybody_in_in_batches_as_at_once(
    cls: type[Recommender], table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = cls(dim=5, epochs=2).fit(table)
    whole = model.fold_in(table).state
    monkeypatch.setattr(ALS, 20_000)
    assert np.array_equal(model.fold_in(table).state, whole)
    assert whole.any(axis=1).all()


@pytest.mark.parametrize("kind", ["plain", "sided"])
@pytest.mark.parametrize("noise", ["shared", "own"])
def test_bayes_draws_every_row_in_batches_as_at_once(
    kind: str, noise: str, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"kind": kind, "noise": noise, "dim": 3, "epochs": 4, "burn_in": 1}
    config, data = BayesianFactorization(**options, n_kept=2).config, Interactions.of(table)
    whole = GibbsSampler(config, data, 3.0)
    ticks, losses = trained(whole, 4)
    passes = 4 if kind == "sided" else 2  # rows of both sides, and their features
    assert [len(each) for each in ticks] == [passes] * 4
    monkeypatch.setattr(BAYES, 5_000)
    cut = GibbsSampler(config, data, 3.0)
    cut_ticks, cut_losses = trained(cut, 4)
    assert all(len(each) > 3 * passes for each in cut_ticks)
    assert [sum(each) for each in cut_ticks] == [passes * len(data)] * 4
    assert same(cut.state(), whole.state())
    assert cut_losses == losses


@pytest.mark.parametrize("noise", ["shared", "own"])
def test_bayes_folds_everybody_in_in_batches_as_at_once(
    noise: str, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = BayesianFactorization(dim=3, epochs=4, burn_in=1, n_kept=2, noise=noise).fit(table)
    whole = model.fold_in(table).state
    monkeypatch.setattr(BAYES, 5_000)
    assert np.array_equal(model.fold_in(table).state, whole)


@pytest.mark.parametrize("batch_work", [1, 7, 40, 10**9])
def test_pieces_of_work_cover_every_row_once(
    batch_work: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BAYES, batch_work)
    for n_rows in (1, 2, 63, 200):
        work = np.random.default_rng(n_rows).integers(1, 9, n_rows)
        batches = pieces_of(work)
        rows = [
            row
            for bounds in batches
            for first, last in pairwise(bounds)
            for row in range(first, last)
        ]
        assert rows == list(range(n_rows))
        assert len(batches) == -(-work.sum() // batch_work)


@pytest.mark.parametrize("slice_", [1, 100, 399])
@pytest.mark.parametrize("kind", ["biased", "dot", "svdpp"])
def test_torch_adds_up_the_gradients_of_all_slices(
    kind: str, slice_: int, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Interactions.of(table.head(400))
    cls = SVDPlusPlus if kind == "svdpp" else MatrixFactorization
    model = cls(MFConfig(kind=kind, lr=0.05, **ADAM))
    model.fit(table)  # for its mean
    whole, cut = model._learner(data), None
    whole_ticks, whole_losses = trained(whole, 2)
    assert whole_ticks == [[400], [400]]
    monkeypatch.setattr("cofilter.models.mf.torch_learner.SLICE", slice_)
    cut = model._learner(data)
    ticks, losses = trained(cut, 2)
    assert [sum(each) for each in ticks] == [400, 400]
    assert {len(each) for each in ticks} == {-(-400 // slice_)}
    assert losses == pytest.approx(whole_losses, rel=1e-5)
    for name, array in cut.parameters().items():
        np.testing.assert_allclose(array, whole.parameters()[name], atol=2e-4)


def test_svdpp_sums_every_user_s_history(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SVDPlusPlus(MFConfig(kind="svdpp", epochs=2, **ADAM)).fit(table)
    learner = model._learner(Interactions.of(table))
    trained(learner, 1)
    whole = learner.parameters()
    monkeypatch.setattr("cofilter.models.mf.svdpp_torch.USERS", 7)
    cut = learner.parameters()
    assert cut.keys() == whole.keys()
    for name, array in cut.items():
        np.testing.assert_allclose(array, whole[name], rtol=1e-6)


def test_a_network_predicts_every_pair(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = RatingNetwork(dim=3, hidden=(4,), schedule=((1, 0.01),), epochs=1).fit(table)
    whole = model.predict(table[USER], table["item_id"])
    monkeypatch.setattr("cofilter.models.ncf.model.PAIRS_AT_ONCE", 7)
    np.testing.assert_allclose(model.predict(table[USER], table["item_id"]), whole, rtol=1e-5)


@pytest.mark.parametrize("at_once", [1, 90])
def test_random_scores_are_drawn_for_everybody(
    at_once: int, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = RandomRanking().fit(table)
    whole = model.rank(model.users_.ids, 40)
    monkeypatch.setattr("cofilter.models.baseline.model.SCORES_AT_ONCE", at_once)
    cut = model.rank(model.users_.ids, 40)
    assert all(np.array_equal(a, b) for a, b in zip(cut, whole, strict=True))
