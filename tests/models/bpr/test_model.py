from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError, DivergedError
from cofilter.core.matrix import Interactions
from cofilter.models.bpr import learner as bpr_learner
from cofilter.models.bpr.config import BPRConfig
from cofilter.models.bpr.learner import TripleFactors, aligned, cuts, likes, negatives
from cofilter.models.bpr.model import BPR
from cofilter.recommender.base import Recommender
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import SCALE, TrainedContract, ratings_table

VALUES: dict[str, Any] = {
    "dim": 4, "epochs": 6, "lr": 0.05, "l2": 0.01, "init_std": 0.1, "negatives": "uniform",
    "power": 0.75, "tries": 8, "min_rating": None, "fold_in_passes": 20, "patience": None,
    "scale": SCALE,
}  # fmt: skip


def config(**changes: Any) -> BPRConfig:
    return BPRConfig(**(VALUES | changes))


def trainer(folder: Path) -> Trainer:
    return Trainer(CheckpointConfig(every_seconds=0, resume="auto"), folder)


def board(n: int = 24) -> pd.DataFrame:
    """Each user rated three quarters of the items of the own parity, and nothing else."""
    user, item = np.divmod(np.arange(n * n), n)
    own = ((user + item) % 2 == 0) & ((user // 2 + item // 2) % 4 != 0)
    return pd.DataFrame({USER: user[own], ITEM: item[own], RATING: np.float32(4)})


def epochs(learner: TripleFactors, first: int, last: int) -> list[float]:
    return [learner.run_epoch(epoch, lambda n: None) for epoch in range(first, last + 1)]


def learner(table: pd.DataFrame, **changes: Any) -> TripleFactors:
    return TripleFactors(config(**changes), Interactions.of(table))


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


class TestBPR(TrainedContract):
    def make(self) -> Recommender:
        return BPR(config())


class TestPopularityAndLikedOnly(TestBPR):
    def make(self) -> Recommender:
        return BPR(config(negatives="popularity", min_rating=3.0))


def test_scores_are_the_formula(tmp_path: Path) -> None:
    table = ratings_table()
    model = BPR(config()).fit(table, trainer=trainer(tmp_path))
    items, scores = model.recommend([10], 1_000, exclude_seen=False)
    at = model.items_.index(items[0])
    p, q = model.user_[model.users_.index([10])[0]].astype(float), model.item_[at].astype(float)
    np.testing.assert_allclose(scores[0], q[:, :-1] @ p + q[:, -1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["uniform", "popularity"])
def test_the_held_out_squares_of_the_board_come_first(kind: str, tmp_path: Path) -> None:
    table = board()
    model = BPR(config(epochs=60, negatives=kind)).fit(table, trainer=trainer(tmp_path))
    losses = [row["loss"] for row in model.history_]
    assert losses[0] == pytest.approx(np.log(2), rel=0.05)  # nothing is known at the start
    assert losses[-1] < 0.4 * losses[0]
    users = table[USER].unique()
    for people in (users, model.fold_in(table)):
        items, _ = model.recommend(people, 3, exclude=table)
        assert ((items + users[:, None]) % 2 == 0).all()


def test_similar_items_have_the_same_parity(tmp_path: Path) -> None:
    model = BPR(config(epochs=60)).fit(board(), trainer=trainer(tmp_path))
    items, scores = model.similar_items([4, 7], 5)
    assert (items % 2 == [[0], [1]]).all()
    assert (scores <= 1.0 + 1e-6).all()


def test_resumed_training_has_the_same_bits(tmp_path: Path) -> None:
    table = ratings_table(60, 40)
    train, validation = table.iloc[::2], table.iloc[1::2]
    whole = BPR(config()).fit(train, validation, trainer(tmp_path / "whole"))
    BPR(config(epochs=2)).fit(train, validation, trainer(tmp_path / "parts"))
    resumed = BPR(config()).fit(train, validation, trainer(tmp_path / "parts"))
    assert resumed.history_ == whole.history_
    assert same(resumed._arrays(), whole._arrays())


def test_a_restored_learner_continues_as_the_first_one() -> None:
    table = ratings_table()
    first, second = learner(table), learner(table)
    epochs(first, 1, 2)
    second.restore(first.state())
    assert epochs(first, 3, 4) == epochs(second, 3, 4)
    assert same(first.parameters(), second.parameters())


def test_bits_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpr_learner, "CHUNK", 700)
    monkeypatch.setattr(bpr_learner, "ALONE", 0)
    table, threads, found = ratings_table(200, 40), numba.get_num_threads(), []
    for n in (1, threads):
        numba.set_num_threads(n)
        mine = learner(table, dim=20)
        found.append((epochs(mine, 1, 2), mine.parameters()))
        assert numba.get_num_threads() == n
    assert found[0][0] == found[1][0]
    assert same(found[0][1], found[1][1])


def test_every_chunk_is_told_and_every_row_is_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpr_learner, "CHUNK", 100)
    table = ratings_table(60, 40)
    told: list[int] = []
    learner(table).run_epoch(1, told.append)
    assert sum(told) == len(table)
    assert len(told) == -(-len(table) // 100)
    assert max(told) <= 100 + table.groupby(USER).size().max()


def test_epochs_and_seeds_have_draws_of_their_own() -> None:
    table = ratings_table()
    still = {seed: learner(table, lr=1e-30, seed=seed) for seed in (0, 1)}
    losses = epochs(still[0], 1, 3) + epochs(still[1], 1, 3)
    assert len(set(losses)) == len(losses)
    assert not np.array_equal(*(mine.parameters()["user"] for mine in still.values()))


def test_more_regularisation_gives_shorter_factors() -> None:
    length = []
    for l2 in (0.0, 0.1, 1.0):
        mine = learner(ratings_table(), l2=l2)
        epochs(mine, 1, 30)
        length.append(np.linalg.norm(mine.parameters()["item"]))
    assert length[0] > length[1] > length[2]


def test_popular_negatives_follow_the_power() -> None:
    popularity = np.array([1, 16, 81])
    for kind, power, share in (
        ("uniform", 0.5, [1, 1, 1]),
        ("popularity", 0.0, [1, 1, 1]),
        ("popularity", 0.5, [1, 4, 9]),
    ):
        table = negatives(config(negatives=kind, power=power), popularity)
        chance = np.asarray(table.keep, float)
        np.add.at(chance, table.alias, 1.0 - np.asarray(table.keep, float))
        np.testing.assert_allclose(chance / 3, np.array(share) / sum(share), rtol=1e-5)


def test_rows_below_the_lowest_rating_are_known_but_not_liked() -> None:
    table = ratings_table()
    data = Interactions.of(table)
    liked, known = likes(data, 4.0)
    for user in range(len(data.users)):
        rows = data.user == user
        mine, met = (
            part.item[part.start[user] : part.start[user + 1]].tolist() for part in (liked, known)
        )
        assert mine == sorted(data.item[rows & (data.rating >= 4)])
        assert met == sorted(data.item[rows])


def test_a_user_without_positives_is_ranked_by_item_bias(tmp_path: Path) -> None:
    table = ratings_table()
    table.loc[table[USER] == 20, RATING] = 1.0
    model = BPR(config(min_rating=3.0)).fit(table, trainer=trainer(tmp_path))
    order = model.items_.ids[np.argsort(-model.item_[:, -1], kind="stable")]
    new = model.fold_in(table[table[USER] == 20])
    assert model.recommend([20], 5, exclude_seen=False)[0][0].tolist() == order[:5].tolist()
    assert model.recommend(new, 5, exclude_seen=False)[0][0].tolist() == order[:5].tolist()


def test_folded_in_people_do_not_depend_on_each_other(tmp_path: Path) -> None:
    table = ratings_table()
    model = BPR(config()).fit(table, trainer=trainer(tmp_path))
    alone = model.fold_in(table[table[USER] == 50])
    assert np.array_equal(alone.state, model.fold_in(table).take([50]).state)


def test_who_knows_everything_trains_nothing() -> None:
    mine = learner(pd.DataFrame({USER: [1, 1], ITEM: [1, 2], RATING: [3.0, 3.0]}))
    before = mine.parameters()
    assert epochs(mine, 1, 2) == [0.0, 0.0]
    assert same(mine.parameters(), before)


def test_early_stopping_watches_ndcg(tmp_path: Path) -> None:
    table = ratings_table(60, 40)
    model = BPR(config(epochs=40, patience=3))
    model.fit(table.iloc[::2], table.iloc[1::2], trainer(tmp_path))
    watched = [row["ndcg@10"] for row in model.history_]
    assert model.epochs_ == np.argmax(watched) + 1 < 40


def test_a_learning_rate_beyond_reason_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="loss is"):
        BPR(config(lr=1e6, l2=1.0, epochs=20)).fit(ratings_table(), trainer=trainer(tmp_path))


def test_no_positives_is_told_with_the_highest_rating(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bpr.min_rating: 6.0 leaves no positives.* 5$"):
        BPR(config(min_rating=6.0)).fit(ratings_table(), trainer=trainer(tmp_path))


@pytest.mark.parametrize(
    ("key", "value"),
    [("negatives", "popular"), ("power", -1.0), ("lr", 0.0), ("dim", 0)],
)
def test_impossible_settings_are_named(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"bpr\.{key}: .* is not allowed"):
        parse(BPRConfig, VALUES | {"scale": list(SCALE), key: value}, "bpr")


def test_parts_are_nearly_equal_and_cut_no_user() -> None:
    before = np.cumsum([0, 5, 1, 1, 1, 90, 1, 1])
    bounds = cuts(before, 4)
    assert bounds[0] == 0
    assert bounds[-1] == 7
    assert (np.diff(bounds) >= 0).all()
    even = np.arange(0, 101, 2)
    assert np.ptp(np.diff(cuts(even, 7))) <= 1


def test_rows_of_tables_begin_on_cache_lines() -> None:
    for width in (1, 16, 17):
        table = aligned(5, width)
        assert table.shape == (5, 16 if width < 17 else 32)
        assert all(row.ctypes.data % 64 == 0 for row in table)
        assert not table.any()
