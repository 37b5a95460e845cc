from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.models.knn.config import KNNConfig
from cofilter.models.knn.model import KINDS
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.reproduction import r1
from tests.reproduction.conftest import MakeLab
from tests.reproduction.systems import system
from tests.reproduction.test_procedures import shortened

PLAIN = KNNConfig(similarity="cosine", k=4, aggregation="plain", shrinkage=0, scale=(-9, 9), unit=1)


def by_the_table(table: pd.DataFrame, user: int, item: int, side: str, k: int) -> float:
    """The published procedure: a pivot with 0 for missing, cosine, the k nearest who have it."""
    rows, columns = (USER, ITEM) if side == "user" else (ITEM, USER)
    pivot = table.pivot(index=rows, columns=columns, values=RATING)
    own, other = (user, item) if side == "user" else (item, user)
    filled = pivot.fillna(0.0)
    length = np.sqrt((filled**2).sum(axis=1))
    similarity = (filled @ filled.loc[own]) / (length * length[own])
    able = similarity[pivot[other].notna() & (similarity > 0)]
    if side == "user" or own in able.index:
        near = able.sort_values(ascending=False, kind="stable").head(k)
        return float((near * pivot.loc[near.index, other]).sum() / near.abs().sum())
    return float("nan")


@pytest.mark.parametrize("side", ["user", "item"])
def test_a_leaking_prediction_is_the_published_pandas_one(side: str, ratings: pd.DataFrame) -> None:
    leaking = PLAIN.model_copy(update={"self_votes": True})
    model = KINDS[side](leaking).fit(ratings)
    rows = ratings.head(30)
    predicted = model.predict(rows[USER], rows[ITEM])
    expected = [
        by_the_table(ratings, user, item, side, 4)
        for user, item in zip(rows[USER], rows[ITEM], strict=True)
    ]
    np.testing.assert_allclose(predicted, expected, rtol=1e-5)


def test_the_leak_flatters_and_the_ranks_follow_the_errors(
    ratings: pd.DataFrame, lab_of: MakeLab
) -> None:
    _, procedure = system("r1_memory_vs_model")
    parsed = r1.R1Config.model_validate(shortened("r1_memory_vs_model", procedure))
    figures = r1.run(parsed, lab_of(ratings)).figures
    values = {(figure.what, figure.metric): figure.value for figure in figures}
    for method in ("user-based", "item-based"):
        leaking, honest = (values[f"{method}, {name}", "rmse"] for name in (r1.LEAKING, r1.HONEST))
        assert leaking is not None
        assert honest is not None
        assert leaking < honest
    for name in (r1.LEAKING, r1.HONEST):
        methods = [f"{method}, {name}" for method in ("user-based", "item-based", "model-based")]
        by_error = sorted(methods, key=lambda method: values[method, "rmse"] or 0)
        assert [values[method, "rank"] for method in by_error] == [1, 2, 3]


def test_the_split_is_a_fifth_of_the_rows(ratings: pd.DataFrame) -> None:
    _, procedure = system("r1_memory_vs_model")
    parts, _ = split_ratings(ratings, SplitConfig.model_validate(procedure["split"]), None)
    assert len(parts.test) == pytest.approx(0.2 * len(ratings), abs=1)
    assert not len(parts.validation)
