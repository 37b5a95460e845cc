"""The pipeline for real on someone's published split of clicks: no ratings, no times."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd

from cofilter import load
from tests.checkout import Checkout

FOLDER = "published"
RATING_MODELS = ["baseline/global_mean", "baseline/bias", "mf/biased-dim4-seed0"]


def test_what_clicks_cannot_train_is_left_out_by_name(checkout: Checkout) -> None:
    rng = np.random.default_rng(0)
    taste, popular = rng.integers(0, 3, (2, 60))[0], rng.geometric(0.05, 60)
    rows = [
        (user, item)
        for user in range(90)
        for item in rng.choice(60, 12, replace=False, p=_weights(taste == user % 3, popular))
    ]
    clicks = pd.DataFrame(rows, columns=["user_id", "item_id"])
    held_out = rng.random(len(clicks)) < 0.2
    (checkout.path / FOLDER).mkdir()
    for part, table in (("train", clicks[~held_out]), ("test", clicks[held_out])):
        table.to_csv(checkout.path / FOLDER / f"{part}.txt", index=False)
    checkout.compose(
        f"data.path={FOLDER}",
        "data.columns.rating=null",
        "data.columns.timestamp=null",
        "data.scale=null",
        "data.relevance_threshold=null",
        "split=given",
        "points.baseline.kind=[global_mean,bias,popularity,recent_popularity]",
        "leak.methods=[knn/item]",
    )
    ran = checkout.run(sys.executable, "-m", "dvc", "repro")
    assert ran.returncode == 0, ran.stderr

    facts = json.loads((checkout.path / "results/facts.json").read_text())
    assert facts["feedback"] == "clicks"
    why = "it learns from ratings, and these data are clicks"
    untimed = "it needs times, and these data have none"
    assert facts["left_out"] == dict.fromkeys(RATING_MODELS, why) | {
        "baseline/recent_popularity": untimed
    }
    board = pd.read_csv(checkout.path / "results/leaderboard.csv")
    assert set(board["family"] + "/" + board["point"]) == {
        "baseline/popularity",
        "knn/item",
        "ensemble/blend",
    }
    assert board.filter(like="rmse").isna().all(axis=None)
    assert board.set_index("family")["warm_ndcg@10"].loc["knn"] > 0
    assert len(pd.read_csv(checkout.path / "results/leak.csv")) == 0
    shown = checkout.run(sys.executable, "-m", "cofilter.report.terminal").stdout
    assert f"left out, {why}: {', '.join(RATING_MODELS)}" in shown
    page = (checkout.path / "results/report.html").read_text(encoding="utf-8")
    assert f"Left out, {why}" in page
    model = load(checkout.path / "models/knn/item")
    assert model.config.similarity == "cosine"


def _weights(liked: np.ndarray, popular: np.ndarray) -> np.ndarray:
    weight = popular * np.where(liked, 10.0, 1.0)
    return weight / weight.sum()
