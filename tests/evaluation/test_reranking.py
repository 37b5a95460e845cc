from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.config import RerankingCurves
from cofilter.evaluation.evaluate import Request, evaluate
from cofilter.evaluation.files import EXAMPLES, LEADERBOARD, METRICS, RERANKING
from cofilter.evaluation.judge import Judge
from cofilter.evaluation.reranking import columns, reranking_curves
from cofilter.models.baseline.model import GlobalMean
from cofilter.models.knn.model import ItemKNN
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.reranking.config import KINDS, RerankingConfig
from cofilter.reranking.reranker import Reranker
from tests.evaluation.conftest import Audited, make_config, make_split
from tests.evaluation.trained import POINTS, train
from tests.reranking import oracle

K = 5
CURVES = RerankingCurves(strengths=(0.4, 0.9), mmr=0.6, popularity=None, genres=0.4, depth=8)


@pytest.fixture
def both(parts: Parts) -> pd.DataFrame:
    return pd.concat([parts.train, parts.validation], ignore_index=True)


@pytest.fixture
def model(both: pd.DataFrame) -> Recommender:
    return ItemKNN(k=10, similarity="cosine").fit(both)


@pytest.fixture
def genres(both: pd.DataFrame) -> pd.Series:
    rng, items = np.random.default_rng(0), both[ITEM].unique()
    named = ["|".join(rng.choice(list("abcd"), rng.integers(0, 3), replace=False)) for _ in items]
    return pd.Series(named, items)


def test_every_row_is_what_its_lists_score(
    parts: Parts, both: pd.DataFrame, model: Recommender, genres: pd.Series
) -> None:
    config = make_config(reranking=CURVES)
    judge = Judge.of(parts, config)
    table = reranking_curves(
        "knn/item", model, genres, judge.target, judge.catalogue, config
    ).set_index(["kind", "strength"])
    strengths = {"mmr": [0, 0.4, 0.6, 0.9], "popularity": [0, 0.4, 0.9], "genres": [0, 0.4, 0.9]}
    assert table.index.tolist() == [(kind, s) for kind in KINDS for s in strengths[kind]]
    assert set(table["model"]) == {"knn/item"}
    items, users = set(parts.train[ITEM]), set(parts.train[USER])
    liked = parts.test[(parts.test["rating"] >= 3.5) & parts.test[ITEM].isin(items)]
    relevant = liked[liked[USER].isin(users)].groupby(USER)[ITEM].agg(set)
    later = sorted(set(both[ITEM]) - items)  # what only a refitted model knows is no candidate
    exclude = pd.concat(
        [both[[USER, ITEM]], pd.DataFrame([(u, i) for u in relevant.index for i in later],
                                          columns=[USER, ITEM])]
    )  # fmt: skip
    of = {item: text.split("|") if text else [] for item, text in genres.items()}
    again, own = Reranker(model, genres), {}
    for (kind, strength), row in table.iterrows():
        how = RerankingConfig(kind=kind, strength=strength, depth=8)
        lists, _ = again.recommend(
            relevant.index.to_numpy(), K, how, exclude_seen=False, exclude=exclude
        )
        ndcg, far, given = [], [], set()
        for (user, wanted), items_given in zip(relevant.items(), lists.tolist(), strict=True):
            gain = sum(1 / math.log2(r + 2) for r, i in enumerate(items_given) if i in wanted)
            ndcg.append(gain / sum(1 / math.log2(r + 2) for r in range(min(len(wanted), K))))
            had = both[(both[USER] == user) & both[ITEM].isin(items)][ITEM].tolist()
            if any(of[item] for item in had):
                q = oracle.shares([i for i in items_given if i != -1], of)
                far.append(oracle.divergence(oracle.shares(had, of), q))
            given |= set(items_given) - {-1}
        own.setdefault(kind, ndcg)
        assert row["ndcg@5"] == pytest.approx(np.mean(ndcg))
        assert row["difference"] == pytest.approx(np.mean(ndcg) - np.mean(own[kind]), abs=1e-12)
        assert row["ndcg@5_low"] <= row["ndcg@5"] <= row["ndcg@5_high"]
        assert row["difference_low"] <= row["difference"] + 1e-12 <= row["difference_high"] + 2e-12
        assert row["coverage@5"] == pytest.approx(len(given) / len(items))
        assert row["miscalibration@5"] == pytest.approx(np.mean(far))
        assert row["users"] == len(relevant)
    assert (table["difference"].loc[:, 0.9] != 0).any()
    assert table.loc["genres", "miscalibration@5"].is_monotonic_decreasing


def test_without_genres_there_are_two_kinds_and_no_miscalibration(
    parts: Parts, model: Recommender
) -> None:
    config = make_config(reranking=CURVES)
    judge = Judge.of(parts, config)
    table = reranking_curves("knn/item", model, None, judge.target, judge.catalogue, config)
    assert table["kind"].unique().tolist() == ["mmr", "popularity"]
    assert table["miscalibration@5"].isna().all()


def test_it_can_be_turned_off_and_needs_a_model_that_ranks(
    parts: Parts, both: pd.DataFrame, model: Recommender, model_config: ModelConfig
) -> None:
    off = make_config(
        reranking=RerankingCurves(strengths=(), mmr=None, popularity=None, genres=None)
    )
    for each, config in ((model, off), (GlobalMean(model_config).fit(both), make_config())):
        judge = Judge.of(parts, config)
        table = reranking_curves("a/b", each, None, judge.target, judge.catalogue, config)
        assert table.empty
        assert table.columns.tolist() == columns(config)


def test_the_shipped_model_is_re_ranked_and_nothing_else_of_the_comparison_changes(
    audited: Audited, genres: pd.Series, model_config: ModelConfig, tmp_path: Path
) -> None:
    parts, audit = audited
    off = RerankingCurves(strengths=(), mmr=None, popularity=None, genres=None)
    for name, curves in (("with", CURVES), ("without", off)):
        config = make_config(reranking=curves)
        train(parts, tmp_path / "models", config, model_config, refit=True)
        request = Request(
            parts, audit, make_split(), POINTS, tmp_path / "models", config, genres=genres
        )
        evaluate(request, tmp_path / name)
    board = pd.read_csv(tmp_path / "with" / LEADERBOARD)
    ships = board[board["selected"]].iloc[0]
    table = pd.read_csv(tmp_path / "with" / RERANKING)
    assert set(table["model"]) == {f"{ships['family']}/{ships['point']}"}
    own = table[table["strength"] == 0].iloc[0]
    for name in ("ndcg@5", "coverage@5", "gini@5", "novelty@5", "popularity@5", "diversity@5"):
        assert own[name] == pytest.approx(ships[f"warm_{name}"], abs=1e-15)
    for name in ("ndcg@5_low", "ndcg@5_high"):
        assert own[name] == pytest.approx(ships[f"warm_{name}"], abs=1e-12)
    assert pd.read_csv(tmp_path / "without" / RERANKING).empty
    for name in (LEADERBOARD, METRICS, EXAMPLES):
        one, other = ((tmp_path / each / name).read_bytes() for each in ("with", "without"))
        assert one == other
