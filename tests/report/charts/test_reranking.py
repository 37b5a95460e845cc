from __future__ import annotations

import pandas as pd

from cofilter.evaluation.reranking import columns
from cofilter.report.charts.reranking import reranking
from cofilter.report.reranking import reranked_rows
from tests.evaluation.conftest import make_config

CONFIG = make_config()


def make_table(kinds: list[str]) -> pd.DataFrame:
    rows = [(kind, strength) for kind in kinds for strength in (0.0, 0.3, 0.5)]
    table = pd.DataFrame(rows, columns=["kind", "strength"])
    for at, name in enumerate(columns(CONFIG)[3:]):
        table[name] = 0.1 * at - 0.05 * table["strength"]
    return table.assign(model="ease/rating")[columns(CONFIG)]


def test_a_small_chart_a_measure_with_a_line_a_kind() -> None:
    (figure,) = reranking(make_table(["mmr", "popularity", "genres"]), CONFIG)
    for title in ("NDCG@5 on test, warm", "Coverage", "Gini", "Genres off the history"):
        assert title in figure.svg["wide"]
        assert title in figure.svg["narrow"]
    assert "ease/rating" in figure.caption
    assert "Unlike items (mmr) at 0.5:" in figure.reading


def test_what_is_not_measured_has_no_chart() -> None:
    table = make_table(["mmr", "popularity"]).assign(**{"miscalibration@5": float("nan")})
    (figure,) = reranking(table, CONFIG)
    assert "Genres" not in figure.svg["wide"]
    assert list(reranking(pd.DataFrame(), CONFIG)) == []


def test_rows_are_the_own_list_and_the_strength_of_each_kind_that_is_listed() -> None:
    rows = reranked_rows(make_table(["mmr", "popularity", "genres"]), CONFIG)
    names = ["ease/rating", "ease/rating+mmr0.5", "ease/rating+popularity0.3"]
    assert [row["model"] for row in rows] == [*names, "ease/rating+genres0.3"]
    assert rows[0]["difference"] == ""
    assert rows[1]["difference"] == "+0.2750 [0.375, 0.475]"
    assert rows[1]["ndcg@5"] == "-0.0250 [0.075, 0.175]"
    assert reranked_rows(pd.DataFrame(), CONFIG) == []
