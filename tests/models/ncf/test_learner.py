from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cofilter.core.matrix import Interactions
from cofilter.models.ncf.learner import ImplicitLearner, NetworkLearner, RatingLearner
from cofilter.recommender.people import UserRows
from tests.models.contract import ratings_table
from tests.models.ncf.test_model import KINDS, by_hand, fitted, implicit, rating


def learners() -> dict[str, Callable[..., NetworkLearner]]:
    data = Interactions.of(ratings_table())
    return {
        "implicit": lambda **changes: ImplicitLearner(implicit(**changes), data),
        "rating": lambda **changes: RatingLearner(rating(**changes), data, 3.0),
    }


@KINDS
def test_torch_and_numpy_compute_the_same(kind: str, tmp_path: Path) -> None:
    model = fitted(kind, tmp_path)
    learner = learners()[kind]()
    learner.run_epoch(1, lambda n: None)
    model._set(learner.parameters())
    user, item = (torch.tensor(index) for index in np.indices((30, 20)))
    everybody = np.arange(30, dtype=np.int32)
    found = model._score_items(UserRows(model._user_state(everybody), np.zeros(30), everybody))
    if isinstance(learner, ImplicitLearner):
        expected = learner.logits(user[:, 0], item, 0.0)
    else:
        assert isinstance(learner, RatingLearner)
        expected = learner.outputs(user.ravel(), item.ravel(), 0.0).reshape(30, 20)
        found = found - np.float32(model.biases_.mean)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_products_before_and_after_the_choice_of_rows_are_the_same() -> None:
    learner = learners()["implicit"](dropout=0.0)
    assert isinstance(learner, ImplicitLearner)
    few, many = torch.arange(5), torch.arange(5).repeat(40)  # fewer and more rows than users
    item = torch.arange(60).reshape(5, 12) % 20
    small = learner.logits(few, item[:, :1], 0.0)
    large = learner.logits(many, item.repeat(40, 1), 0.0)
    torch.testing.assert_close(small, large[:5, :1])


@KINDS
def test_restored_state_continues_bit_for_bit(kind: str) -> None:
    """Over the end of a fit of the schedule, where Adam starts anew, and within one."""
    make_learner = learners()[kind]
    for stop in (2, 3):
        straight, stopped = make_learner(), make_learner()
        for epoch in (1, 2, 3, 4):
            straight.run_epoch(epoch, lambda n: None)
        for epoch in range(1, stop + 1):
            stopped.run_epoch(epoch, lambda n: None)
        resumed = make_learner(seed=9)  # another start, all of it overwritten
        resumed.restore(stopped.state())
        for epoch in range(stop + 1, 5):
            resumed.run_epoch(epoch, lambda n: None)
        for name, array in straight.state().items():
            assert np.array_equal(array, resumed.state()[name]), name


def test_torch_s_threads_are_the_configured_ones_whatever_others_have_set() -> None:
    learner = learners()["rating"]()
    before, within = torch.get_num_threads(), set()
    torch.set_num_threads(2)
    try:
        learner.run_epoch(1, lambda n: within.add(torch.get_num_threads()))
        assert within == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@KINDS
def test_every_rating_is_seen_once_an_epoch(kind: str) -> None:
    data = Interactions.of(ratings_table())
    seen: list[int] = []
    learners()[kind](batch_size=37).run_epoch(1, seen.append)
    assert sum(seen) == len(data)
    assert max(seen) == 37


def test_a_batch_s_gradient_is_the_sum_of_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for piece in (1 << 13, 10):
        monkeypatch.setattr("cofilter.models.ncf.learner.PIECE", piece)
        learner = learners()["rating"](batch_size=None, dropout=0.0)
        learner.run_epoch(1, lambda n: None)
        results.append(learner.parameters())
    for name, array in results[0].items():
        np.testing.assert_allclose(array, results[1][name], atol=1e-5, err_msg=name)


def test_the_schedule_is_fits_in_a_row_each_with_a_fresh_adam() -> None:
    learner = learners()["rating"]()
    steps = []
    for epoch in range(1, 8):
        learner.run_epoch(epoch, lambda n: None)
        steps.append(int(learner.state()["optimizer.0.step"]))
    a_pass = -(-len(ratings_table()) // 64)
    assert [learner.learning_rate(epoch) for epoch in range(1, 8)] == [0.02] * 3 + [0.005] * 4
    assert steps == [a_pass * n for n in (1, 2, 3, 1, 2, 3, 4)]


def test_negatives_are_drawn_as_configured_and_never_count_when_they_are_rated() -> None:
    table = ratings_table()
    data = Interactions.of(table)
    rated = set(zip(data.user.tolist(), data.item.tolist(), strict=True))
    for kind in ("uniform", "popularity"):
        learner = ImplicitLearner(implicit(negatives=kind, n_negatives=200), data)
        drawn = learner._negatives(200)
        share = np.bincount(drawn.numpy().ravel(), minlength=20) / drawn.numel()
        popularity = np.bincount(data.item) / len(data)
        expected = popularity if kind == "popularity" else np.full(20, 0.05)
        np.testing.assert_allclose(share, expected, atol=0.006)
        unseen = learner._unseen(torch.arange(30), drawn[:30]).numpy()
        for user in range(30):
            wanted = [(user, int(item)) not in rated for item in drawn[user]]
            assert unseen[user].tolist() == wanted


def test_loss_is_the_formula() -> None:
    data = Interactions.of(ratings_table())
    learner = ImplicitLearner(implicit(dropout=0.0), data)
    rows = torch.arange(50)
    state = learner._generator.get_state()
    found = learner._loss(rows).item()
    learner._generator.set_state(state)
    negative = learner._negatives(50).numpy()
    parameters, expected = learner.parameters(), 0.0
    rated = set(zip(data.user.tolist(), data.item.tolist(), strict=True))
    for row in range(50):
        user, item = data.user[row], data.item[row]
        expected += np.log1p(np.exp(-by_hand(parameters, user, item, False))) / 4
        for other in negative[row]:
            if (user, other) not in rated:
                expected += np.log1p(np.exp(by_hand(parameters, user, other, False))) / 4
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.2, 0.5])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(dropout: float) -> None:
    learner = learners()["rating"]()
    units = learner._dropped(torch.ones(999, 101), dropout)
    assert float((units == 0).float().mean()) == pytest.approx(dropout, abs=0.006)
    assert float(units.mean()) == pytest.approx(1, abs=0.01)
    assert len(units.unique()) <= 2
