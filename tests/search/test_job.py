from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cofilter.core.errors import CapabilityError, ConfigError, DataError
from cofilter.models.als.config import ALSConfig
from cofilter.models.als.model import KINDS
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import ScoreConfig
from cofilter.search.job import Data, metric_of
from tests.models.mf.test_factorization import config
from tests.search.jobs import EVALUATE, data, history, job, run, search_config, write_parts


def ranker() -> Recommender:
    values = {"kind": "implicit", "dim": 4, "epochs": 3, "patience": None, "regularization": 1.0}
    more: dict[str, Any] = {"solver": "cholesky", "cg_steps": 1, "alpha": 1.0, "init_std": 0.1}
    return KINDS["implicit"](ALSConfig(**values, **more, confidence="rating", min_rating=None))


def test_the_metric_is_what_the_model_is_watched_by_unless_named() -> None:
    rater = MatrixFactorization(config())
    assert metric_of(rater, search_config(), EVALUATE) == "rmse"
    assert metric_of(ranker(), search_config(), EVALUATE) == "ndcg@10"
    assert metric_of(ranker(), search_config(metric="recall@10"), EVALUATE) == "recall@10"
    unpruned = search_config(metric="ndcg@10", pruner="none")
    assert metric_of(rater, unpruned, EVALUATE) == "ndcg@10"


@pytest.mark.parametrize(
    ("model", "metric", "error", "told"),
    [
        (MatrixFactorization(config()), "rsme", ConfigError, "'rsme' is not one of rmse, mae, "),
        (MatrixFactorization(config()), "ndcg@7", ConfigError, "k comes from evaluate.k"),
        (ranker(), "rmse", CapabilityError, "predicts no ratings, so it has no rmse"),
        (MatrixFactorization(config()), "ndcg@10", ConfigError, "search.pruner=none is expected"),
    ],
)
def test_a_metric_that_the_model_has_not_is_one_clear_line(
    model: Recommender, metric: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error) as caught:
        metric_of(model, search_config(metric=metric), EVALUATE)
    assert told in str(caught.value)
    assert str(caught.value).startswith("search.metric: ")


def test_the_fingerprint_tells_ratings_apart(tmp_path: Path) -> None:
    one = data(tmp_path).fingerprint
    assert Data.load(tmp_path / "split", ScoreConfig()).fingerprint == one
    write_parts(tmp_path, seed=1)
    assert data(tmp_path).fingerprint != one


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.parquet: file not found"):
        Data.load(tmp_path, ScoreConfig())


def test_a_search_is_the_same_without_a_test_part_and_with_a_poisoned_one(tmp_path: Path) -> None:
    """Whoever opened the second one's test part would fail."""
    write_parts(tmp_path / "absent")
    split = write_parts(tmp_path / "poisoned")
    (split / "test.parquet").write_bytes(b"nobody reads this")
    rows = pd.read_parquet(write_parts(tmp_path / "there") / "train.parquet")
    rows.assign(rating=1.0).to_parquet(tmp_path / "there" / "split" / "test.parquet")
    found = [
        history(run(job(tmp_path / name, n_trials=4))) for name in ("absent", "poisoned", "there")
    ]
    assert found[0] == found[1] == found[2]
