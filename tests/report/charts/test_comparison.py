from __future__ import annotations

import pandas as pd
import pytest

from cofilter.report.charts.comparison import comparisons
from cofilter.report.charts.style import CHOSEN, WARNING

BARE = pd.DataFrame(
    {
        "model": ["mf/a-seed0", "mf/b-seed0", "knn/item"],
        "selected": [False, True, False],
        "warm_ndcg@5": [0.3, 0.2, 0.1],
        "all_ndcg@5": [0.25, 0.2, 0.1],
        "warm_rmse": [None, 0.9, 1.0],
        "all_rmse": [None, 1.0, 1.1],
    }
)


@pytest.fixture
def compared() -> pd.DataFrame:
    return BARE.assign(
        **{
            "warm_ndcg@5_low": BARE["warm_ndcg@5"] - 0.05,
            "warm_ndcg@5_high": BARE["warm_ndcg@5"] + 0.05,
            "best_set": [True, True, False],
            "difference": [0.0, -0.1, -0.2],
            "difference_low": [0.0, -0.2, -0.25],
            "difference_high": [0.0, 0.01, -0.15],
            "p_holm": [None, 0.2, 0.01],
        }
    )


def test_without_intervals_there_are_still_points() -> None:
    ndcg, rmse = comparisons(BARE, "ndcg@5")
    assert ndcg.title == "NDCG@5 on test"
    assert ">mf/a<" in ndcg.svg["wide"]
    assert ">0.300<" in ndcg.svg["narrow"]
    assert ndcg.reading == "3 models; best 0.300 by mf/a."
    assert rmse.reading == "2 models; best 0.900 by mf/b."
    assert "interval" not in ndcg.caption


def test_the_best_set_is_dark_and_clear_differences_are_marked(compared: pd.DataFrame) -> None:
    ndcg, _, differences = comparisons(compared, "ndcg@5")
    assert "95 % intervals" in ndcg.caption
    # Of the three: two dots or diamonds and two intervals are dark.
    assert ndcg.svg["wide"].count(CHOSEN) == 4
    assert differences.reading == "1 of 3 models differ clearly from the best."
    assert differences.svg["wide"].count(WARNING) == 2  # its dot and its interval


def test_models_without_figures_are_no_chart() -> None:
    nothing = BARE.assign(**{name: None for name in BARE if "rmse" in name or "ndcg" in name})
    assert list(comparisons(nothing, "ndcg@5")) == []


def test_a_single_model_with_a_score_of_zero_is_drawn() -> None:
    one = BARE.head(1).assign(**{"warm_ndcg@5": 0.0, "all_ndcg@5": 0.0})
    (drawn,) = comparisons(one, "ndcg@5")
    assert ">mf/a<" in drawn.svg["wide"]
