from __future__ import annotations

import pandas as pd
import pytest

from cofilter.evaluation.leak import COLUMNS as LEAK_COLUMNS
from cofilter.report.claims import claim_rows, leak_rows
from cofilter.reproduction.table import COLUMNS, OTHER_DATA

BOARD = pd.DataFrame({"family": ["knn", "mf"], "point": ["item", "a"], "warm_rmse": [0.97, None]})


@pytest.mark.parametrize(
    ("model", "column", "honest"),
    [
        ("knn/item", "warm_rmse", 0.97),
        ("mf/a", "warm_rmse", None),
        ("mf/b", "warm_rmse", None),
        ("knn/item", "x", None),
        ("", "", None),
    ],
)
def test_a_claim_stands_beside_the_leaderboards_figure(
    model: str, column: str, honest: float | None
) -> None:
    values = ("R1", "KNN is best", "user-based", "rmse", 0.75, 0.8, model, column, "")
    rows = claim_rows(pd.DataFrame([values], columns=COLUMNS), BOARD)
    (row,) = rows["KNN is best"]
    assert (row["honest"], row["published"]) == (honest, 0.75)
    assert row["difference"] == pytest.approx(0.05)


def test_figures_of_other_data_are_not_subtracted_and_unpublished_ones_stay_in_the_file() -> None:
    values = ("R1", "KNN is best", "user-based", "rmse", 0.75, 0.8, "", "", f"{OTHER_DATA} ml_20m")
    unpublished = ("R1", "KNN is best", "a curve", "rmse", None, 0.8, "", "", "")
    table = pd.DataFrame([values, unpublished], columns=COLUMNS)
    (row,) = claim_rows(table, BOARD)["KNN is best"]
    assert (row["what"], row["difference"]) == ("user-based", None)
    assert claim_rows(pd.DataFrame(), BOARD) == {}


def test_the_most_flattered_comes_first() -> None:
    table = pd.DataFrame(
        [["a", 1, 0.5, 0.9, 0.1, 0.5, None, 0.0], ["b", 1, 0.5, 0.9, 0.4, 0.5, None, 0.0]],
        columns=list(LEAK_COLUMNS),
    )
    rows = leak_rows(table)
    assert [row["method"] for row in rows] == ["b", "a"]
    assert rows[0]["honest_mae"] is None
    assert leak_rows(pd.DataFrame()) == []
