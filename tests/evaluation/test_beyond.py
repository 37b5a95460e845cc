from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cofilter.core.columns import ITEM, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.beyond import (
    Catalogue,
    beyond_accuracy,
    beyond_names,
    has_interval,
    item_factors,
)
from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target


def cosines(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit @ unit.T


def literal(parts: Parts, model: object, config: EvaluateConfig, warm: bool) -> dict[str, float]:
    """The definitions, user by user, from `recommend` and the tables."""
    train, test = parts.train, parts.test
    both = pd.concat([train, parts.validation])
    users, items = set(train[USER]), sorted(set(train[ITEM]))
    share = {i: (train[ITEM] == i).sum() / len(users) for i in items}
    raters = np.array([[u in set(train.loc[train[ITEM] == i, USER]) for u in users] for i in items])
    cosine = cosines(raters.astype(float))
    at = {item: place for place, item in enumerate(items)}
    values: dict[str, list[float]] = {name: [] for name in beyond_names(config)}
    given: dict[int, list[int]] = {k: [] for k in config.k}
    for user in sorted(set(test[USER])):
        mine = test[(test[USER] == user) & (test["rating"] >= config.relevance_threshold)]
        relevant = set(mine[ITEM]) & set(items) if warm else set(mine[ITEM])
        if not relevant or (warm and user not in users):
            continue
        seen = set(both.loc[both[USER] == user, ITEM])
        known = [share[item] for item in sorted(seen & set(items))]
        if known:
            values["consumed_popularity"].append(float(np.mean(known)))
        order = model.recommend([user], 10**6, exclude_seen=False)[0][0].tolist()  # type: ignore[attr-defined]
        candidates = [item for item in order if item in at and item not in seen]
        for k in config.k:
            cut = candidates[:k]
            given[k] += cut
            values[f"novelty@{k}"].append(float(np.mean([-math.log2(share[i]) for i in cut])))
            values[f"popularity@{k}"].append(float(np.mean([share[i] for i in cut])))
            pairs = [1 - cosine[at[i], at[j]] for i, j in itertools.combinations(cut, 2)]
            if pairs:
                values[f"diversity@{k}"].append(float(np.mean(pairs)))
    found = {name: float(np.mean(each)) for name, each in values.items() if each}
    for k, each in given.items():
        counts = [each.count(item) for item in items]
        found[f"coverage@{k}"] = len(set(each)) / len(items)
        spread = sum(abs(x - y) for x, y in itertools.product(counts, repeat=2))
        found[f"gini@{k}"] = spread / (2 * len(items) * sum(counts))
    return found


@pytest.mark.parametrize("scope", ["warm", "all"])
@pytest.mark.parametrize("kind", [BiasBaseline, Popularity])
def test_agrees_with_the_literal_definition(
    parts: Parts,
    model_config: ModelConfig,
    config: EvaluateConfig,
    kind: type[BiasBaseline] | type[Popularity],
    scope: str,
) -> None:
    config = config.model_copy(update={"diversity_dim": 50})  # at least the rank: exact cosines
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    model = kind(model_config).fit(both)
    target = Target.of(parts.train, parts.validation, parts.test, config.relevance_threshold)
    catalogue = Catalogue.of(parts.train, target, config)
    scores = score_target(model, target, config)
    found = beyond_accuracy(scores, catalogue, config)[scope].metrics(config)
    assert list(found) == list(beyond_names(config))
    expected = literal(parts, model, config, warm=scope == "warm")
    assert found == pytest.approx(expected, rel=1e-4)  # factors are rounded


def test_a_model_that_does_not_rank_has_none(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    target = Target.of(parts.train, None, parts.test, None)
    catalogue = Catalogue.of(parts.train, target, config)
    scores = score_target(GlobalMean(model_config).fit(parts.train), target, config)
    assert beyond_accuracy(scores, catalogue, config) == {}


def test_nobody_to_rank_for_gives_none(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    target = Target.of(parts.train, None, parts.test, 6.0)
    catalogue = Catalogue.of(parts.train, target, config)
    scores = score_target(Popularity(model_config).fit(parts.train), target, config)
    found = beyond_accuracy(scores, catalogue, config)
    assert set(found["all"].metrics(config).values()) == {None}


@pytest.mark.parametrize("dim", [1, 3, 11, 12, 40])
@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (1, 5), (5, 1)])
def test_item_factors_are_the_best_approximation(dim: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    dense = (rng.random(shape) < 0.4).astype(float)
    dense[0, 0] = 1.0
    found = item_factors(sparse.csr_array(dense), dim)
    _, length, right = np.linalg.svd(dense, full_matrices=False)
    kept = right[:dim].T * length[:dim]
    np.testing.assert_allclose(found @ found.T, kept @ kept.T, atol=1e-3)
    assert found.shape == (shape[1], min(dim, *shape))


def test_equal_data_give_equal_factors_in_any_row_order(parts: Parts) -> None:
    target = Target.of(parts.train, None, parts.test, None)
    config = EvaluateConfig.model_construct(diversity_dim=4)
    one = Catalogue.of(parts.train, target, config)
    two = Catalogue.of(parts.train.sample(frac=1.0, random_state=1), target, config)
    assert (one.factors == two.factors).all()


def test_only_means_over_users_have_intervals(config: EvaluateConfig) -> None:
    without = {name.partition("@")[0] for name in beyond_names(config) if not has_interval(name)}
    assert without == {"coverage", "gini"}
    assert has_interval("ndcg@5")
