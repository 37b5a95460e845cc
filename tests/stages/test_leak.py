from __future__ import annotations

import pandas as pd

from cofilter.evaluation.leak import COLUMNS
from tests.checkout import Checkout, errors


def test_the_leak_flatters_neighbours_and_the_table_is_there(finished: Checkout) -> None:
    table = pd.read_csv(finished.path / "results/leak.csv")
    assert tuple(table.columns) == COLUMNS
    (row,) = table.to_dict("records")
    assert row["method"] == "knn/item"
    assert row["leaking_rmse"] < row["honest_rmse"]


def test_wrong_methods_are_one_clear_line(checkout: Checkout) -> None:
    for methods, expected in (
        ("[knn]", "leak.methods: 'knn' is not family/point"),
        ("[baseline/popularity]", "baseline/popularity does not predict ratings"),
        ("[no/item]", "'no' is not a family of models"),
    ):
        done = checkout.stage("leak", f"leak.methods={methods}")
        assert done.returncode == 2, done.stderr
        (line,) = errors(done)
        assert expected in line
