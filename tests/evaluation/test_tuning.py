from __future__ import annotations

import pytest

from cofilter.evaluation.tuning import kind_key, tuning_metric
from cofilter.models.ease.model import KINDS
from cofilter.models.knn.model import ItemKNN
from cofilter.recommender.base import Recommender
from tests.evaluation.conftest import make_config

EASE, KNN = KINDS["binary"](), ItemKNN()


@pytest.mark.parametrize(
    ("model", "primary", "rated", "metric"),
    [
        (KNN, "ndcg@10", True, "rmse"),
        (KNN, "mae", True, "mae"),
        (KNN, "recall@5", False, "recall@5"),
        (KNN, "rmse", False, "ndcg@10"),
        (EASE, "recall@5", True, "recall@5"),
        (EASE, "rmse", True, "ndcg@10"),
    ],
)
def test_a_model_is_tuned_by_the_metric_that_chooses_it(
    model: Recommender, primary: str, rated: bool, metric: str
) -> None:
    assert tuning_metric(model, make_config(k=(5, 10), primary=primary), rated=rated) == metric


def test_without_lists_of_ten_the_first_length_counts() -> None:
    assert tuning_metric(EASE, make_config(k=(7, 3), primary="rmse"), rated=True) == "ndcg@7"


def test_what_is_tuned_by_itself_is_a_family_and_kind() -> None:
    assert kind_key("mf", "biased-dim20-seed0") == "mf/biased"
    assert kind_key("bpr", "dim20-seed0") == "bpr"
