from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.report.charts.errors import NAMED, bands, calibration, cold_start

MODELS = ["mf/a-seed0", "knn/item"]


def band_rows() -> pd.DataFrame:
    rows = [
        (model, by, band, order, 1000 * (order + 1), 0.8 + order / 10, None if order else 0.25)
        for model in [*MODELS, "mf/not-shown"]
        for by in ("activity", "popularity")
        for order, band in enumerate(("0", "1–20", "21–50"))
    ]
    names = ["model", "by", "band", "order", "rows", "rmse", "recall"]
    return pd.DataFrame(rows, columns=names)


def test_bands_tell_their_figures_and_rows() -> None:
    drawn = list(bands(band_rows(), MODELS))
    assert [figure.title for figure in drawn] == [
        "RMSE by activity",
        "Recall by activity",
        "RMSE by popularity",
        "Recall by popularity",
    ]
    svg = drawn[0].svg["wide"]
    assert svg.count(">0.80<") == svg.count(">1.00<") == len(MODELS)
    assert "not-shown" not in svg
    places = [svg.index(f">{band}<") for band in ("0", "1–20", "21–50")]
    assert places == sorted(places)
    assert drawn[0].reading == "Test rows by band: 0: 1,000, 1–20: 2,000, 21–50: 3,000."


def test_calibration_says_how_far_off_a_model_is() -> None:
    table = pd.DataFrame(
        {
            "model": ["mf/a-seed0"] * 2 + ["knn/item"] * 2,
            "predicted": [2.0, 4.0, 2.0, 4.0],
            "observed": [2.5, 4.0, 2.0, 4.0],
            "rows": [10, 30, 5, 5],
        }
    )
    (drawn,) = calibration(table, MODELS)
    assert "mf/a 0.12, knn/item 0.00" in drawn.reading  # (0.5 · 10 + 0 · 30) / 40
    assert ">off by 0.12<" in drawn.svg["narrow"]
    assert not drawn.full


def test_cold_start_names_the_best_in_the_end() -> None:
    n = NAMED + 3
    models = [f"mf/kind{at}" for at in range(n)]
    steps = (0, 1, 10)
    table = pd.DataFrame(
        [
            (m, "mf", s, 8, 1 - 0.01 * at * s, 0.01 * at)
            for at, m in enumerate(models)
            for s in steps
        ],
        columns=["model", "family", "revealed", "users", "rmse", "ndcg"],
    )
    ndcg, rmse = cold_start(table, models, "ndcg@10")
    assert (ndcg.title, rmse.title) == ("Cold start: NDCG@10", "Cold start: RMSE")
    for drawn in (ndcg, rmse):
        named = [model for model in models if f">{model}<" in drawn.svg["wide"]]
        assert named == models[-NAMED:]
        assert "Shaded" not in drawn.caption
    assert "10 ratings revealed the best is mf/kind8 at 0.200" in rmse.reading
    one = table.assign(rmse=np.nan)
    assert [drawn.title for drawn in cold_start(one, models, "rmse")] == ["Cold start: NDCG"]


def test_absent_tables_are_no_charts() -> None:
    nothing = pd.DataFrame()
    assert list(bands(nothing, MODELS)) == []
    assert list(calibration(nothing, MODELS)) == []
    assert list(cold_start(nothing, MODELS, "ndcg@10")) == []
    assert list(bands(band_rows().iloc[:0], MODELS)) == []
