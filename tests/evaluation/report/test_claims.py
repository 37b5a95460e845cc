from __future__ import annotations

import pandas as pd

from cofilter.evaluation.report.claims import claims, leak_rows

BOARD = pd.DataFrame({"model": ["knn/item", "mf/a"], "warm_rmse": [0.97, None]})


def claim(model: str | None, column: str | None) -> pd.DataFrame:
    return pd.DataFrame([{"system": "R1", "model": model, "column": column, "published": 0.75}])


def test_a_claim_stands_beside_the_leaderboards_figure() -> None:
    assert claims(claim("knn/item", "warm_rmse"), BOARD)[0]["honest"] == 0.97
    for model, column in (("mf/a", "warm_rmse"), ("mf/b", "warm_rmse"), ("knn/item", "x")):
        assert claims(claim(model, column), BOARD)[0]["honest"] is None
    (row,) = claims(claim(None, None), BOARD)
    assert (row["honest"], row["model"], row["published"]) == (None, None, 0.75)
    assert claims(pd.DataFrame(), BOARD) == []


def test_the_most_flattered_comes_first() -> None:
    figures = {"rows": 1, "leaking_rmse": 0.5, "honest_rmse": 0.9}
    figures |= {"leaking_mae": 0.5, "honest_mae": None}
    table = pd.DataFrame(
        [{"method": "a", "optimism": 0.1, **figures}, {"method": "b", "optimism": 0.4, **figures}]
    )
    rows = leak_rows(table)
    assert [row["method"] for row in rows] == ["b", "a"]
    assert rows[0]["honest_mae"] is None
    assert leak_rows(pd.DataFrame()) == []
