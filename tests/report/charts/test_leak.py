from __future__ import annotations

import pandas as pd

from cofilter.report.charts.leak import leaks


def test_both_procedures_of_each_method_are_shown() -> None:
    table = pd.DataFrame(
        {
            "method": ["user KNN", "factors"],
            "leaking_rmse": [0.7512, 0.9],
            "honest_rmse": [0.9617, 0.95],
        }
    )
    (drawn,) = leaks(table)
    assert drawn.reading == "The most flattered: user KNN, 0.75 leaking, 0.96 honest."
    for text in (">0.75<", ">0.96<", ">0.90<", ">0.95<", ">user KNN<"):
        assert text in drawn.svg["narrow"]
    assert list(leaks(pd.DataFrame())) == []
