from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cofilter.blending import weights as module
from cofilter.blending.forward_selection import Objective
from cofilter.blending.weights import groups, objective_of, ranking_weights, rating_weights
from cofilter.core.parts import Parts
from cofilter.metrics import ranking
from cofilter.metrics.rating import rmse
from cofilter.models.ensemble.fusion import fuse
from cofilter.scoring.answers import Answers, list_users, load_answers
from cofilter.scoring.target import Target
from tests.blending.blending import EVALUATE, blend_config, make_parts, train

CONFIG = blend_config()


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture
def target(parts: Parts) -> Target:
    return Target.of(parts.train, None, parts.validation, EVALUATE.relevance_threshold)


@pytest.fixture
def answers(parts: Parts, tmp_path: Path) -> list[Answers]:
    return [load_answers(folder.path) for folder in train(parts, tmp_path)]


def only(answers: list[Answers], target: Target, users: np.ndarray) -> tuple[list[Answers], Target]:
    """Answers and rows of some users alone, so that nothing else can be learned from."""
    rows = np.isin(target.user, users)
    kept = np.isin(list_users(target), users)
    fewer = replace(
        target,
        **{
            name: getattr(target, name)[rows]
            for name in ("user_ids", "item_ids", "rating", "user", "item", "relevant")
        },
    )
    mine = [
        Answers(
            each.data,
            None if each.predicted is None else each.predicted[rows],
            None if each.ranked is None else each.ranked[kept],
        )
        for each in answers
    ]
    return mine, fewer


def test_groups_are_of_equal_size() -> None:
    assert sorted(np.bincount(groups(11, CONFIG))) == [2, 3, 3, 3]
    assert sorted(groups(3, CONFIG)) == [0, 1, 2]


def test_held_out_errors_are_those_of_weights_from_the_other_groups(
    answers: list[Answers], target: Target
) -> None:
    _, figures = rating_weights(answers, target, CONFIG)
    rows = target.warm_rows
    users = np.unique(target.user[rows])
    group = groups(len(users), CONFIG)
    held_out = np.zeros(len(target))
    raters = [at for at, each in enumerate(answers) if each.predicted is not None]
    for g in range(4):
        others = [users[group == other] for other in range(4) if other != g]
        folds, sizes = [], []
        for some in others:
            mine = rows & np.isin(target.user, some)
            predicted = np.column_stack([answers[at].predicted[mine] for at in raters])  # type: ignore[index]
            folds.append(module.error_products(predicted, target.rating[mine]))
            sizes.append(int(mine.sum()))
        weights = module.stack(folds, np.array(sizes), CONFIG.most_members)
        mine = rows & np.isin(target.user, users[group == g])
        held_out[mine] = sum(
            weight * answers[at].predicted[mine]  # type: ignore[index]
            for weight, at in zip(weights, raters, strict=True)
        )
    assert figures["rmse"] == pytest.approx(rmse(target.rating[rows], held_out[rows]))
    assert figures["rated_rows"] == rows.sum()


def test_held_out_rankings_are_those_of_weights_from_the_other_groups(
    answers: list[Answers], target: Target
) -> None:
    _, figures = ranking_weights(answers, target, CONFIG, EVALUATE)
    users = list_users(target)
    group = groups(len(users), CONFIG)
    values = np.zeros(len(users))
    for g in range(4):
        mine, rest = only(answers, target, users[group != g])
        weights, _ = ranking_weights(mine, rest, CONFIG, EVALUATE)
        lists = [(at, each.ranked) for at, each in enumerate(answers) if each.ranked is not None]
        scores = fuse(
            [ranked[group == g, : CONFIG.depth] for _, ranked in lists],
            [weights[at] for at, _ in lists],
            CONFIG.rank_constant,
            len(target.items),
        )
        best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
        liked = np.zeros((len(target.users), len(target.items)), bool)
        known = target.relevant & (target.item >= 0)
        liked[target.user[known], target.item[known]] = True
        own = users[group == g]
        hits = np.take_along_axis(liked[own], best, axis=1)
        values[group == g] = ranking.at_k(hits, liked[own].sum(axis=1), 5)["ndcg"]
    assert figures["ndcg@5"] == pytest.approx(values.mean())
    assert figures["ranked_users"] == len(users)


def test_weights_sum_to_one_and_go_to_models_that_can(
    answers: list[Answers], target: Target
) -> None:
    for weights, kind in (
        (rating_weights(answers, target, CONFIG)[0], "predicted"),
        (ranking_weights(answers, target, CONFIG, EVALUATE)[0], "ranked"),
    ):
        assert weights.sum() == pytest.approx(1)
        able = [getattr(each, kind) is not None for each in answers]
        assert (weights[~np.array(able)] == 0).all()


@pytest.mark.parametrize("n_users", [0, 2])
def test_too_few_users_give_nobody_a_weight(
    answers: list[Answers], target: Target, n_users: int, caplog: pytest.LogCaptureFixture
) -> None:
    mine, few = only(answers, target, list_users(target)[:n_users])
    weights, figures = rating_weights(mine, few, CONFIG)
    assert not weights.any()
    assert figures.keys() == {"rated_rows"}
    weights, figures = ranking_weights(mine, few, CONFIG, EVALUATE)
    assert not weights.any()
    assert figures == {"ranked_users": n_users}
    assert f"{n_users} warm validation users have a relevant item, 3 are needed" in caplog.text


def test_three_users_are_enough(answers: list[Answers], target: Target) -> None:
    mine, few = only(answers, target, list_users(target)[:3])
    assert rating_weights(mine, few, CONFIG)[0].sum() == pytest.approx(1)
    assert ranking_weights(mine, few, CONFIG, EVALUATE)[0].sum() == pytest.approx(1)


def test_the_objective_is_the_primary_metric_when_it_ranks() -> None:
    assert objective_of(EVALUATE) == Objective("ndcg", 5)
    recall = EVALUATE.model_copy(update={"primary": "recall@2"})
    assert objective_of(recall) == Objective("recall", 2)
    rated = EVALUATE.model_copy(update={"primary": "user_rmse"})
    assert objective_of(rated) == Objective("ndcg", 2)
