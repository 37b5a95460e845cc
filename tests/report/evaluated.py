"""Results as `evaluate` writes them, of a small sweep, with the tables that other stages add."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from cofilter.backtest.backtest import backtest, save_backtest
from cofilter.core.columns import ITEM
from cofilter.core.io import write_json, write_text
from cofilter.core.parts import Parts
from cofilter.evaluation import files
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.evaluate import Request, evaluate
from cofilter.evaluation.faithfulness import Faithfulness
from cofilter.models.als.model import ExplicitALS
from cofilter.models.knn.model import ItemKNN
from cofilter.recommender.base import Recommender
from cofilter.recommender.config import ModelConfig
from cofilter.report.environment import ENVIRONMENT, environment
from cofilter.report.terminal import read_leaderboard
from cofilter.scoring.scores import score
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.backtest.conftest import make_request
from tests.evaluation.conftest import (
    make_audited,
    make_model_config,
    make_ratings,
    make_split,
)
from tests.evaluation.trained import train, write_curve, write_folder
from tests.models.als.test_model import config as als_config
from tests.models.knn.test_model import config as knn_config

HOSTILE = "<b>Alien</b> (1979)"  # a title that a page must not take for markup
BACKTESTED = ("baseline/popularity", "baseline/global_mean", "knn/item")
SOURCE = {
    "name": "small",
    "origin": "a test",
    "homepage": "https://example.org/ratings/",
    "licence": None,
    "rows": 262,
    "users": 30,
    "items": 25,
    "content_sha256": {"ratings": "ab" * 32},
    "skipped": {"rating off the scale": 1234, "blank_line": 0},
    "warnings": ["3 times are odd; <b>see</b> data.timestamp_format", "few titles"],
}
FILTERED = {
    "rules": [
        {"rule": "min_rating", "value": 1.0, "before": {"rows": 262}, "after": {"rows": 262}},
        {
            "rule": "min_date",
            "value": "2001-01-01",
            "before": {"rows": 262},
            "after": {"rows": 257},
        },
        {"rule": "k_core", "value": 2, "before": {"rows": 257}, "after": {"rows": 250}},
    ]
}


def trained_sweep(
    parts: Parts, folder: Path, config: EvaluateConfig, model_config: ModelConfig
) -> list[tuple[str, str]]:
    """Three baselines, item KNN and explicit ALS at two dims, with learning curves."""
    points = list(train(parts, folder / "models", config, model_config, refit=False))
    shared = {"scale": (0.5, 5.0), "bias": model_config.bias}
    trainer = Trainer(CheckpointConfig(every_seconds=9, resume="never"), folder / "checkpoints")
    fitted: list[tuple[str, str, Recommender]] = [
        ("knn", "item", ItemKNN(knn_config(**shared)).fit(parts.train))
    ]
    for dim in (2, 4):
        model = ExplicitALS(als_config(dim=dim, **shared))
        fitted.append(("als", f"explicit-dim{dim}-seed0", model.fit(parts.train, trainer=trainer)))
    for family, point, model in fitted:
        scores = score(model, parts.train, None, parts.validation, config).summary()
        write_folder(model, folder / "models", family, point, scores, refit=False)
        points.append((family, point))
        if family == "als":
            write_curve(folder / "models" / family / point, [1.2, 1.0, 1.1])
    return points


def evaluated(root: Path, config: EvaluateConfig, ratings: pd.DataFrame | None = None) -> Path:
    """Evaluate a small sweep under ``root``; gives ``root``/results."""
    split = make_split()
    parts, audit = make_audited(make_ratings() if ratings is None else ratings, split)
    points = trained_sweep(parts, root, config, make_model_config())
    items = parts.train[ITEM].unique()
    titles = pd.Series([f"Film {item} (1990)" for item in items], items)
    titles.loc[parts.train[ITEM].mode()[0]] = HOSTILE
    genres = pd.Series(["drama|comedy" if item % 3 else "drama" for item in items], items)
    results = root / "results"
    request = Request(
        parts, audit, split, points, root / "models", config,
        titles=titles, genres=genres, source=SOURCE, filtered=FILTERED,
    )  # fmt: skip
    evaluate(request, results)
    for family, point in points:
        times = {"fit_seconds": 1.0 + len(point), "refit_seconds": 0.5}
        write_json(root / "logs" / "timings" / f"{family}-{point}.json", times)
    write_json(root / ENVIRONMENT, environment())
    return results


def add_other_tables(results: Path) -> None:
    """The tables that are there only when their stages have run."""
    leak = pd.DataFrame(
        {
            "method": ["item KNN", "user KNN"],
            "rows": 100,
            "leaking_rmse": [0.9, 0.75],
            "honest_rmse": [0.95, 0.96],
            "optimism": [0.05, 0.21],
            "leaking_mae": [0.7, 0.6],
            "honest_mae": [0.75, 0.78],
            "honest_fallback_share": [0.0, 0.25],
        }
    )
    claims = pd.DataFrame(
        {
            "system": ["R1", "R2"],
            "claim": ["KNN is <best>", "a ranking"],
            "what": ["k = 10", None],
            "metric": ["RMSE", "HR@10"],
            "published": [0.75, 0.7],
            "reproduced": [0.751, None],
            "model": ["knn/item", None],
            "column": ["warm_rmse", None],
            "note": [None, "sampled"],
        }
    )
    save_backtest(backtest(make_request(methods=BACKTESTED), results.parent), results)
    for name, table in ((files.LEAK, leak), (files.REPRODUCTION, claims)):
        write_text(results / name, table.to_csv(index=False))
    explain(results / files.LEADERBOARD)


def explain(path: Path) -> None:
    """Give KNN and ALS reasons on a leaderboard, whose users have rated too little for any."""
    table = read_leaderboard(path)
    far = Faithfulness("exact", 15, 0, 12.5, 0.5, 12.0, -1.5, 30.25, 3.0, 1)
    near = Faithfulness("exact", 15, 0, 1.0, 1.0, 0.0, None, None, None, 15)
    table = table.astype(dict.fromkeys(asdict(far), "object"))
    for family, reasons in (("knn", far), ("als", near)):
        values = list(asdict(reasons).values())
        table.loc[table["family"] == family, list(asdict(reasons))] = values
    write_text(path, table.to_csv(index=False))
