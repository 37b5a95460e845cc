from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.models.bpr.model import BPR
from cofilter.models.ease.config import EASEConfig
from cofilter.models.ease.model import EASE
from cofilter.models.ensemble.config import EnsembleConfig
from cofilter.models.ensemble.model import Ensemble
from cofilter.models.knn.model import ItemKNN
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.recommender.base import Recommender
from cofilter.recommender.folder import save
from tests.models.bpr.test_model import config as bpr_config
from tests.models.contract import SCALE, ModelContract, TrainedContract, ratings_table
from tests.models.knn.test_model import config as knn_config
from tests.models.mf.test_factorization import config as mf_config

EASY = EASEConfig(kind="binary", l2=5.0, threads=1, max_gib=1.0, scale=SCALE)


def config(**weights: tuple[float, float]) -> EnsembleConfig:
    """Weights for ratings and rankings of members named x/<key>."""
    members = [
        {"name": f"x/{name}", "rating_weight": rating, "ranking_weight": ranking}
        for name, (rating, ranking) in weights.items()
    ]
    return EnsembleConfig.model_validate(
        {"scale": SCALE, "members": members, "rank_constant": 60.0, "depth": 5}
    )


def pair() -> Ensemble:
    """A model that does both and one that only ranks."""
    members = {"x/knn": ItemKNN(knn_config()), "x/ease": EASE(EASY)}
    return Ensemble(config(knn=(1.0, 0.3), ease=(0.0, 0.7)), members)


class TestEnsemble(ModelContract):
    def make(self) -> Recommender:
        return pair()


class TestOfTrainedModels(TrainedContract):
    """Members that a trainer fits; one of them rates only in the mean's way."""

    def make(self) -> Recommender:
        members: dict[str, Recommender] = {
            "x/mf": MatrixFactorization(mf_config(epochs=3)),
            "x/mean": GlobalMean(),
            "x/bpr": BPR(bpr_config(epochs=3)),
        }
        return Ensemble(config(mf=(0.75, 0.5), mean=(0.25, 0.0), bpr=(0.0, 0.5)), members)


@pytest.fixture
def table() -> pd.DataFrame:
    return ratings_table()


def everything(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    users, items = np.meshgrid(table[USER].unique(), table[ITEM].unique())
    return users.ravel(), items.ravel()


def test_ratings_are_the_weighted_sum_of_the_members(table: pd.DataFrame) -> None:
    members = {"x/knn": ItemKNN(knn_config(k=2)), "x/bias": BiasBaseline()}
    model = Ensemble(config(knn=(0.6, 1.0), bias=(0.4, 0.0)), members).fit(table)
    pairs = everything(table)
    knn, bias = (ItemKNN(knn_config(k=2)).fit(table), BiasBaseline().fit(table))
    expected = 0.6 * knn.predict(*pairs).astype(float) + 0.4 * bias.predict(*pairs)
    assert model.predict(*pairs) == pytest.approx(np.clip(expected, *SCALE), rel=1e-6)


@pytest.mark.parametrize("folded", [False, True])
def test_rankings_are_the_fusion_of_the_members_lists(table: pd.DataFrame, folded: bool) -> None:
    """By hand: reciprocal ranks in both lists after exclusion, then popularity, ties by item."""
    model = pair().fit(table)
    knn, ease = ItemKNN(knn_config()).fit(table), EASE(EASY).fit(table)
    users = table[USER].unique()
    taken = table.groupby(USER).head(4)
    asked = (
        [each.fold_in(table.assign(**{USER: table[USER] + 1})) for each in (model, knn, ease)]
        if folded
        else [users] * 3
    )
    shown = taken.assign(**{USER: taken[USER] + 1}) if folded else taken
    items, scores = model.recommend(asked[0], 20, exclude_seen=False, exclude=shown)
    lists = [
        each.recommend(who, 5, exclude_seen=False, exclude=shown)[0]
        for each, who in zip((knn, ease), asked[1:], strict=True)
    ]
    counts = table.groupby(ITEM).size()
    tail = counts - 1.0 - counts.max()
    for row, user in enumerate(users):
        expected = tail.copy()
        for item in set(lists[0][row]) | set(lists[1][row]):
            expected[item] = sum(
                weight / (61 + ranked[row].tolist().index(item))
                for weight, ranked in zip((0.3, 0.7), lists, strict=True)
                if item in ranked[row]
            )
        expected = expected.drop(taken.loc[taken[USER] == user, ITEM])
        given = scores[row][np.isfinite(scores[row])]
        assert given == pytest.approx(expected[items[row][: len(given)]].to_numpy(), rel=1e-5)
        assert set(items[row][: len(given)]) == set(expected.index)
        assert given.min() == pytest.approx(expected.min(), rel=1e-5)


def test_shorter_lists_are_the_beginning_of_longer_ones(table: pd.DataFrame) -> None:
    model = pair().fit(table)
    users = table[USER].unique()
    whole = model.recommend(users, 20, exclude_seen=False)[0]
    assert all(
        np.array_equal(model.recommend(users, k, exclude_seen=False)[0], whole[:, :k])
        for k in (1, 7)
    )


def test_a_single_member_answers_for_itself(table: pd.DataFrame) -> None:
    model = Ensemble(config(knn=(1.0, 1.0)), {"x/knn": ItemKNN(knn_config())}).fit(table)
    alone = ItemKNN(knn_config()).fit(table)
    pairs, users = everything(table), table[USER].unique()
    assert np.array_equal(model.predict(*pairs), alone.predict(*pairs))
    assert np.array_equal(
        model.recommend(users, 5, exclude_seen=False)[0],
        alone.recommend(users, 5, exclude_seen=False)[0],
    )
    assert np.array_equal(model.similar_items([100], 5)[0], alone.similar_items([100], 5)[0])


def test_similar_items_come_from_the_members_that_know_some(table: pd.DataFrame) -> None:
    members = {"x/pop": Popularity(), "x/ease": EASE(EASY)}
    model = Ensemble(config(pop=(0.0, 0.9), ease=(0.0, 0.1)), members).fit(table)
    items, _, filled = model.similar_items([100, 105], 19, return_fallback=True)
    expected, _ = EASE(EASY).fit(table).similar_items([100, 105], 5)
    assert np.array_equal(items[:, :5], expected)
    assert not filled[:, :5].any()
    assert filled[:, 5:].all()  # beyond the member's list
    assert all(len(set(row)) == 19 for row in items)
    unknowing = Ensemble(config(pop=(0.0, 1.0)), {"x/pop": Popularity()}).fit(table)
    with pytest.raises(CapabilityError, match="none of its members"):
        unknowing.similar_items([100])


def test_fitted_members_are_kept_and_others_fitted(table: pd.DataFrame) -> None:
    knn, other = ItemKNN(knn_config()).fit(table), EASE(EASY).fit(table.iloc[1:])
    model = Ensemble(config(knn=(1.0, 0.5), ease=(0.0, 0.5)), {"x/knn": knn, "x/ease": other})
    model.fit(table)
    assert model.members["x/knn"] is knn
    assert model.members["x/ease"] is not other
    assert {each.data_sha256_ for each in model.members.values()} == {model.data_sha256_}
    assert all(each not in model.members.values() for each in model.for_refit().members.values())


def test_the_folder_holds_the_members_as_they_were_saved(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    model = pair().fit(table)
    save(model, tmp_path / "whole")
    for name, member in model.members.items():
        save(member, tmp_path / name)
        for file in (tmp_path / name).iterdir():
            assert file.read_bytes() == (tmp_path / "whole" / name / file.name).read_bytes()
    loaded = cofilter.load(tmp_path / "whole")
    history = table[table[USER] == 0].assign(**{USER: 7})
    before, after = (
        each.recommend(each.fold_in(history), 9, exclude_seen=False)[0] for each in (model, loaded)
    )
    assert np.array_equal(before, after)


def test_without_members_it_can_do_nothing(table: pd.DataFrame, tmp_path: Path) -> None:
    model = Ensemble(config(), {}).fit(table)
    save(model, tmp_path / "model")
    for each in (model, cofilter.load(tmp_path / "model")):
        assert (each.predicts_ratings, each.ranks) == (False, False)
        with pytest.raises(CapabilityError, match="Ensemble does not predict"):
            each.predict([0], [100])
        with pytest.raises(CapabilityError, match="Ensemble does not rank"):
            each.recommend([0], exclude_seen=False)


def test_refuses_members_that_cannot_do_what_they_have_a_weight_for() -> None:
    with pytest.raises(ConfigError, match="x/pop has a weight for ratings"):
        Ensemble(config(pop=(1.0, 0.0)), {"x/pop": Popularity()})
    with pytest.raises(ConfigError, match="x/mean has a weight for rankings"):
        Ensemble(config(mean=(1.0, 1.0)), {"x/mean": GlobalMean()})
    with pytest.raises(ConfigError, match="x/knn are given, but x/pop are expected"):
        Ensemble(config(pop=(0.0, 1.0)), {"x/knn": ItemKNN(knn_config())})


@pytest.mark.parametrize("name", ["../x", "x/..", "/x/y", "x/y/z", "x"])
def test_a_member_s_folder_lies_within_the_ensemble_s(name: str) -> None:
    member = {"name": name, "rating_weight": 1.0, "ranking_weight": 0.0}
    with pytest.raises(ValueError, match="pattern"):
        EnsembleConfig.model_validate({"members": [member], "rank_constant": 1.0, "depth": 1})


def test_string_ids(table: pd.DataFrame) -> None:
    named = table.assign(**{column: "0" + table[column].astype(str) for column in (USER, ITEM)})
    by_number, by_name = pair().fit(table), pair().fit(named)
    given = by_name.predict(named[USER], named[ITEM])
    assert given == pytest.approx(by_number.predict(table[USER], table[ITEM]), rel=1e-5)
    assert named[RATING].equals(table[RATING])
