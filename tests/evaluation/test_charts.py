from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd

from cofilter.evaluation import plots
from cofilter.evaluation.charts import WIDTHS, figures
from cofilter.evaluation.leaderboard import leaderboard
from cofilter.evaluation.scoring import EvaluateConfig
from tests.evaluation.test_leaderboard import entry

CURVE = pd.DataFrame(
    {
        "model": "mf/dim10",
        "family": "mf",
        "phase": ["fit", "fit", "refit"],
        "epoch": [1, 2, 1],
        "loss": [2.0, 1.5, 1.9],
        "rmse": [1.1, 1.0, None],
    }
)


def tables(config: EvaluateConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    points = (("dim10", 0.3), ("dim20", 0.2))
    entries = [entry(config, point, warm=warm, validation=warm) for point, warm in points]
    table = leaderboard(entries, config, [])
    dims = {("mf", "dim10"): 10, ("mf", "dim20"): 20}
    return plots.comparison(table, config), plots.rmse_by_dim(table, dims)


def test_every_chart_is_an_svg_that_names_its_models_and_fits_its_width(
    config: EvaluateConfig,
) -> None:
    bars, by_dim = tables(config)
    found = list(figures(bars, CURVE, by_dim))
    assert [figure.title for figure in found] == [
        "ndcg@5 on test",
        "RMSE on test",
        "RMSE against the length of the factors",
        "Validation RMSE by epoch: mf",
        "Training loss by epoch: mf",
    ]
    for figure in found:
        for name, width in WIDTHS.items():
            root = ElementTree.fromstring(figure.svg[name])
            assert float(root.attrib["width"]) <= width + 1
    assert ">mf/dim10<" in found[0].svg["wide"]
    assert ">0.300<" in found[0].svg["wide"]
    assert ">dim10<" in found[3].svg["narrow"]


def test_charts_without_data_are_left_out(config: EvaluateConfig) -> None:
    bars, by_dim = tables(config)
    nothing = plots.learning_curves([])
    titles = [figure.title for figure in figures(bars.iloc[:0], nothing, by_dim.iloc[:0])]
    assert titles == []
    errors_only = bars.assign(warm=None, all=None)
    titles = [figure.title for figure in figures(errors_only, nothing, by_dim.iloc[:0])]
    assert titles == ["RMSE on test"]


def test_a_single_model_with_a_score_of_zero_is_drawn(config: EvaluateConfig) -> None:
    table = leaderboard([entry(config, "a", warm=0.0, validation=0.0)], config, [])
    bars = plots.comparison(table, config)
    assert ">mf/a<" in next(figures(bars, plots.learning_curves([]), table.iloc[:0])).svg["wide"]
