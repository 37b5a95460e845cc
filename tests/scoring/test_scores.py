from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.metrics import rating
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.models.knn.model import ItemKNN, KNNConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.scoring import lists
from cofilter.scoring import scores as scoring
from cofilter.scoring.config import metric_names
from cofilter.scoring.scores import score
from tests.evaluation.conftest import make_config


def fit(name: str, table: pd.DataFrame, config: ModelConfig) -> Recommender:
    if name == "knn":
        knn = KNNConfig(similarity="cosine", k=5, aggregation="mean_centred", **config.model_dump())
        return ItemKNN(knn).fit(table)
    return {"mean": GlobalMean, "bias": BiasBaseline, "popularity": Popularity}[name](config).fit(
        table
    )


def assert_close(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        close = None if value is None else pytest.approx(value, rel=1e-5)
        assert found[name] == close, name


def literal(
    model: Recommender,
    train: pd.DataFrame,
    seen: pd.DataFrame | None,
    target: pd.DataFrame,
    config: EvaluateConfig,
    scope: str,
) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Design.md section 8, user by user and row by row, with everything the model can rank."""
    users, items = set(train[USER]), set(train[ITEM])
    rows = list(zip(target[USER], target[ITEM], target[RATING], strict=True))
    warm = scope == "warm"
    values: dict[str, float | None] = dict.fromkeys(metric_names(config))
    counts: dict[str, Any] = dict.fromkeys(scoring.COUNTS)
    if model.predicts_ratings:
        chosen = [row for row in rows if not warm or (row[0] in users and row[1] in items)]
        answers = [model.predict([u], [i], return_fallback=True) for u, i, _ in chosen]
        errors = [(float(p[0]) - r) for (p, _), (_, _, r) in zip(answers, chosen, strict=True)]
        values["rmse"] = math.sqrt(sum(e * e for e in errors) / len(errors))
        values["mae"] = sum(abs(e) for e in errors) / len(errors)
        each: dict[int, list[float]] = {}
        for (user, _, _), error in zip(chosen, errors, strict=True):
            each.setdefault(user, []).append(error)
        values["user_rmse"] = float(
            np.mean([math.sqrt(np.mean(np.square(e))) for e in each.values()])
        )
        values["user_mae"] = float(np.mean([np.mean(np.abs(e)) for e in each.values()]))
        counts["rated_rows"] = len(chosen)
        counts["rating_fallback_share"] = np.mean([bool(f[0]) for _, f in answers])
    if model.ranks:
        values.update(dict.fromkeys(values.keys() - set(rating.DEFINITIONS), 0.0))
        history = pd.concat([train] if seen is None else [train, seen])
        ranked = left_out = cold = unknown = 0
        for user in sorted(set(target[USER])):
            if warm and user not in users:
                continue
            relevant = {
                i for u, i, r in rows if u == user and r >= (config.relevance_threshold or 0)
            }
            cold += len(relevant - items)
            if warm:
                relevant &= items
            if not relevant:
                left_out += 1
                continue
            ranked += 1
            unknown += user not in set(model.users_.ids.tolist())
            order = model.recommend([user], len(model.items_), exclude_seen=False)[0][0].tolist()
            mine = set(history.loc[history[USER] == user, ITEM])
            candidates = [item for item in order if item in items and item not in mine]
            for k in config.k:
                hits = [r for r, item in enumerate(candidates[:k], 1) if item in relevant]
                most = min(len(relevant), k)
                found = {
                    "precision": len(hits) / k,
                    "recall": len(hits) / len(relevant),
                    "hit_rate": float(bool(hits)),
                    "mrr": 1 / hits[0] if hits else 0.0,
                    "map": sum(n / r for n, r in enumerate(hits, 1)) / most,
                    "ndcg": sum(1 / math.log2(r + 1) for r in hits)
                    / sum(1 / math.log2(r + 1) for r in range(1, most + 1)),
                }
                for name, value in found.items():
                    values[f"{name}@{k}"] += value  # type: ignore[operator]
        values = {n: v / ranked if "@" in n and v is not None else v for n, v in values.items()}
        counts.update(
            ranked_users=ranked,
            users_without_relevant=left_out,
            cold_relevant=cold,
            ranking_fallback_share=unknown / ranked,
        )
    return values, counts


@pytest.mark.parametrize("threshold", [None, 4.0])
@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("name", ["mean", "bias", "popularity", "knn"])
def test_agrees_with_the_literal_definition(
    parts: Parts,
    model_config: ModelConfig,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    refit: bool,
    threshold: float | None,
) -> None:
    """In blocks of one user, and all at once."""
    config = make_config(k=(1, 5, 50), relevance_threshold=threshold)
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    model = fit(name, both if refit else parts.train, model_config)
    expected = {
        scope: literal(model, parts.train, parts.validation, parts.test, config, scope)
        for scope in ("warm", "all")
    }
    for block in (1, 10**9):
        monkeypatch.setattr(lists, "BLOCK_SCORES", block)
        scores = score(model, parts.train, parts.validation, parts.test, config).summary()
        for scope, (values, counts) in expected.items():
            assert_close(scores[scope], values)
            assert_close(scores["counts"][scope], counts)


def test_validation_target_excludes_train_only(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = fit("bias", parts.train, model_config)
    scores = score(model, parts.train, None, parts.validation, config).summary()
    for scope in ("warm", "all"):
        values, counts = literal(model, parts.train, None, parts.validation, config, scope)
        assert_close(scores[scope], values)
        assert_close(scores["counts"][scope], counts)


def test_the_data_set_has_what_the_scopes_differ_in(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    model = fit("bias", both, model_config)
    counts = score(model, parts.train, parts.validation, parts.test, config).summary()["counts"]
    assert counts["all"]["ranked_users"] > counts["warm"]["ranked_users"] > 0
    assert counts["warm"]["cold_relevant"] > 0
    assert counts["all"]["users_without_relevant"] > 0
    assert counts["all"]["ranking_fallback_share"] > 0
    assert len(model.items_) > parts.train[ITEM].nunique()


def test_per_user_arrays_give_the_means(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = fit("bias", parts.train, model_config)
    scores = score(model, parts.train, parts.validation, parts.test, config)
    assert scores.user_ids.tolist() == sorted(set(parts.test[USER]))
    warm = scores.warm
    assert warm.ranked is not None
    assert warm.errors is not None
    assert set(scores.user_ids[warm.ranked.user]) <= set(parts.train[USER])
    assert warm.errors.rows.sum() == warm.counts["rated_rows"]
    assert len(warm.ranked.values["ndcg@5"]) == warm.counts["ranked_users"]


def test_an_empty_target_has_counts_of_zero_and_no_metrics(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = fit("bias", parts.train, model_config)
    summary = score(model, parts.train, None, parts.test.iloc[:0], config).summary()
    assert set(summary["all"].values()) == {None}
    assert summary["counts"]["all"] == {
        "rated_rows": 0,
        "rating_fallback_share": None,
        "ranked_users": 0,
        "users_without_relevant": 0,
        "cold_relevant": 0,
        "ranking_fallback_share": None,
    }


def test_string_ids_score_as_numbers_do(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    def named(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(
            **{USER: "u" + table[USER].astype(str), ITEM: "i" + table[ITEM].astype(str)}
        )

    tables = parts.train, parts.validation, parts.test
    numbers = score(fit("bias", parts.train, model_config), *tables, config).summary()
    train, validation, test = map(named, tables)
    texts = score(fit("bias", train, model_config), train, validation, test, config).summary()
    assert texts == numbers


def test_a_prediction_that_is_not_finite_is_refused(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = fit("bias", parts.train, model_config)
    model._biases.item[:] = np.nan
    with pytest.raises(DataError, match=r"BiasBaseline predicts nan for user"):
        score(model, parts.train, None, parts.test, config)


def test_equal_scores_rank_items_by_id(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = fit("bias", parts.train, model_config)
    model._biases.item[:] = 0.0
    scores = score(model, parts.train, parts.validation, parts.test, config)
    assert scores.lists is not None
    known = scores.lists.user[np.isin(scores.user_ids[scores.lists.user], model.users_.ids)]
    lists = scores.lists.item[np.isin(scores.lists.user, known)]
    assert len(lists)
    for each in lists:
        given = each[each >= 0]
        assert (np.diff(given) > 0).all()
    values, _ = literal(model, parts.train, parts.validation, parts.test, config, "warm")
    assert_close(scores.summary()["warm"], values)


def test_weighted_rows_agree_with_loops_in_both_scopes(
    parts: Parts, config: EvaluateConfig
) -> None:
    rng = np.random.default_rng(2)
    weight = rng.exponential(1.0, len(parts.test)).astype(np.float32)
    weight[::6] = 0.0
    test = parts.test.assign(weight=weight)
    weighted = config.model_copy(update={"weighted": True, "relevance_threshold": None})
    model = Popularity().fit(parts.train)
    k = max(config.k)
    items, seen = set(parts.train[ITEM]), parts.train
    for scope in ("warm", "all"):
        found = score(model, parts.train, None, test, weighted).summary()[scope]
        recalls, gains = [], []
        for user, rows in test[test.weight > 0].groupby(USER):
            if scope == "warm":
                if user not in set(seen[USER]):
                    continue
                rows = rows[rows[ITEM].isin(items)]
            if not len(rows):
                continue
            w = dict(zip(rows[ITEM], rows.weight.astype(float), strict=True))
            ranked, _ = model.recommend([user], k)
            hits = [w.get(item, 0.0) for item in np.asarray(ranked)[0]]
            best = sorted(w.values(), reverse=True)[:k]
            recalls.append(sum(hits) / sum(w.values()))
            gains.append(
                sum(each / math.log2(at + 2) for at, each in enumerate(hits))
                / sum(each / math.log2(at + 2) for at, each in enumerate(best))
            )
        assert found[f"recall@{k}"] == pytest.approx(np.mean(recalls))
        assert found[f"ndcg@{k}"] == pytest.approx(np.mean(gains))
        assert len(recalls) > 3


def test_weighted_errors_agree_with_loops(parts: Parts, config: EvaluateConfig) -> None:
    weight = np.random.default_rng(2).exponential(1.0, len(parts.test)).astype(np.float32)
    test, weighted = parts.test.assign(weight=weight), config.model_copy(update={"weighted": True})
    model = GlobalMean().fit(parts.train)
    squared = (test[RATING].to_numpy(float) - parts.train[RATING].mean()) ** 2
    expected = math.sqrt((weight.astype(float) * squared).sum() / weight.astype(float).sum())
    assert score(model, parts.train, None, test, weighted).summary()["all"][
        "rmse"
    ] == pytest.approx(expected, rel=1e-5)


def test_weighted_without_weights_is_refused(parts: Parts, config: EvaluateConfig) -> None:
    weighted = config.model_copy(update={"weighted": True})
    with pytest.raises(ConfigError, match=r"evaluate.weighted: true, .* data.columns.weight"):
        score(Popularity().fit(parts.train), parts.train, None, parts.test, weighted)
