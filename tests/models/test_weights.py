"""Weights of rows: who learns from them, in whatever unit, and who does not, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.errors import DataError
from cofilter.models.ensemble.config import EnsembleConfig, MemberConfig
from cofilter.models.ensemble.model import Ensemble
from cofilter.recommender.base import Recommender
from cofilter.training.families import families, kinds_of
from tests.models.contract import ratings_table

SHORT: dict[str, dict[str, Any]] = {
    "als": {"dim": 4, "epochs": 3},
    "bayes": {"dim": 2, "epochs": 25, "n_kept": 4},
    "bpr": {"dim": 4, "epochs": 3},
    "mf": {"dim": 4, "epochs": 3},
    "ncf": {"epochs": 1},
}
KINDS = [(family, kind) for family in families() for kind in kinds_of(family)]
USING = {
    *[("als", kind) for kind in ("explicit", "implicit")],
    *[("bayes", kind) for kind in ("plain", "sided")],
    *[("mf", kind) for kind in ("biased", "dot", "item_centred")],
}


def make(family: str, kind: str) -> Recommender:
    model = kinds_of(family)[kind]
    options = {"kind": kind} if "kind" in model.config_class.model_fields else {}
    return model(**options, **SHORT.get(family, {}))


def table() -> pd.DataFrame:
    rows = ratings_table()
    return rows.assign(timestamp=np.arange(len(rows)))


def weights(rows: pd.DataFrame) -> np.ndarray:
    return np.random.default_rng(1).exponential(1.0, len(rows)).astype(np.float32)


def arrays(model: Recommender) -> dict[str, np.ndarray]:
    return model._arrays() | {"popularity": model.popularity_}


def same(one: Recommender, other: Recommender) -> bool:
    a, b = arrays(one), arrays(other)
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_the_declared_ones_are_those_of_the_docs() -> None:
    assert {each for each in KINDS if make(*each).uses_weights} == USING


@pytest.mark.parametrize(("family", "kind"), KINDS)
def test_equal_weights_change_nothing_and_others_only_where_declared(
    family: str, kind: str
) -> None:
    rows = table()
    plain = make(family, kind).fit(rows)
    assert same(plain, make(family, kind).fit(rows.assign(weight=0.3)))
    weighted = make(family, kind).fit(rows.assign(weight=weights(rows)))
    assert same(plain, weighted) is not plain.uses_weights
    assert (weighted.weight_mean_ is not None) is plain.uses_weights


@pytest.mark.parametrize(("family", "kind"), sorted(USING))
def test_the_unit_of_weights_does_not_matter_in_fit_and_fold_in(family: str, kind: str) -> None:
    rows = table()
    some = weights(rows)
    one, other = (make(family, kind).fit(rows.assign(weight=unit * some)) for unit in (1, 8))
    assert same(one, other)  # 8 is a power of 2
    history = rows[rows.user_id < 100].assign(weight=some[rows.user_id < 100])
    own = one.rank(one.fold_in(history), 5)
    for mine, theirs in zip(
        own,
        other.rank(other.fold_in(history.assign(weight=8 * history.weight)), 5),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)
    flat = one.rank(one.fold_in(history.drop(columns="weight")), 5)
    as_the_mean = history.assign(weight=one.weight_mean_)
    np.testing.assert_allclose(flat[1], one.rank(one.fold_in(as_the_mean), 5)[1], rtol=1e-5)
    assert not np.allclose(own[1], flat[1])


@pytest.mark.parametrize(("family", "kind"), sorted(USING))
def test_a_saved_model_folds_in_weighted_histories_alike(
    family: str, kind: str, tmp_path: Path
) -> None:
    rows = table()
    model = make(family, kind).fit(rows.assign(weight=5 * weights(rows)))
    model.save(tmp_path)
    loaded = cofilter.load(tmp_path)
    history = rows[rows.user_id < 100].assign(weight=2.0)
    for mine, theirs in zip(
        *(each.rank(each.fold_in(history), 5) for each in (model, loaded)), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", ["explicit", "implicit"])
def test_a_row_of_whole_weight_counts_as_so_many_rows_in_als(kind: str) -> None:
    """A converged user is where the gradient of the weighted objective is 0, in plain NumPy."""
    rows = table()
    rows = rows.assign(weight=weights(rows))
    model: Any = make("als", kind).fit(rows)
    history = rows[rows.user_id == rows.user_id.iloc[0]].assign(user_id=-1)
    state = model.fold_in(history).state[0].astype(float)
    item = model.items_.index(history.item_id)
    w = history.weight.to_numpy(float) / model.weight_mean_
    q, ridge = model.item_[:, :-1].astype(float), model.config.regularization
    if kind == "explicit":
        design = np.column_stack([q[item], np.ones(len(item))])
        target = history.rating.to_numpy(float) - model._biases.mean - model.item_[item, -1]
        gradient = design.T @ (w * (target - design @ state)) - ridge * len(item) * state
    else:
        confidence, wanted = np.ones(len(q)), np.zeros(len(q))
        surplus = model.config.alpha * history.rating.to_numpy(float)
        confidence[item], wanted[item] = 1 + w * surplus, 1.0
        gradient = q.T @ (confidence * (wanted - q @ state[:-1])) - ridge * state[:-1]
    assert np.abs(gradient).max() < 1e-3


def test_all_zero_weights_are_refused() -> None:
    with pytest.raises(DataError, match=r"ExplicitALS: all \d+ weights are 0"):
        make("als", "explicit").fit(table().assign(weight=0.0))


def test_a_blend_s_members_take_the_weights_each_in_its_own_way(tmp_path: Path) -> None:
    rows = table()
    rows = rows.assign(weight=4 * weights(rows))
    names = {"als/a": ("als", "explicit"), "knn/b": ("knn", "item")}
    config = EnsembleConfig(
        members=tuple(
            MemberConfig(name=name, rating_weight=0.5, ranking_weight=0.0) for name in names
        ),
        rank_constant=1,
        depth=10,
    )
    blend = Ensemble(config, {name: make(*each) for name, each in names.items()}).fit(rows)
    assert not blend.uses_weights
    for name, each in names.items():
        assert same(blend.members[name], make(*each).fit(rows))
    history = rows[rows.user_id < 50]
    alone = blend.members["als/a"]
    blend.save(tmp_path)
    loaded = cofilter.load(tmp_path)
    pairs = history.user_id.to_numpy(), history.item_id.to_numpy()
    np.testing.assert_array_equal(blend.predict(*pairs), loaded.predict(*pairs))
    folded = blend.fold_in(history).state.people[0].state
    np.testing.assert_array_equal(folded, alone.fold_in(history).state)
