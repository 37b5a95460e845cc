from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import DataError
from cofilter.recommender.updates import updated
from cofilter.release.comparing import HeldOut, compare
from cofilter.release.fresh import counted, measured
from cofilter.release.reading import read_new_ratings
from tests.release.films import als, factors, log

EARLY = 700


def early(**options: object) -> cofilter.Recommender:
    return cofilter.ExplicitALS(dim=4, epochs=4, patience=None, scale=(1.0, 5.0)).fit(
        log().iloc[:EARLY]
    )


def test_rows_are_counted_by_what_a_model_knows() -> None:
    rated = log()[log()[USER] == 1][ITEM].tolist()
    other = next(item for item in range(1, 31) if item not in rated)
    rows = pd.DataFrame({USER: [1, 1, 99, 99, 98], ITEM: [rated[0], other, 1, 77, 78], RATING: 3.0})
    found = counted(als(), rows)
    assert (found.rows, found.users, found.new_users, found.changed) == (5, 3, 2, 1)
    assert (found.unknown_rows, found.unknown_items, found.stale) == (2, 2, 0.4)


def test_folding_in_new_ratings_helps_and_lies_between_waiting_and_fitting_again() -> None:
    rows = log().iloc[EARLY:]
    found = {each.model: each for each in measured(early(), rows)}
    assert list(found) == ["before", "updated", "fitted again"]
    assert {each.rows for each in found.values()} == {round(0.2 * len(rows))}
    before, after = found["before"].rmse, found["updated"].rmse
    assert before is not None
    assert after is not None
    assert after < before
    assert found["before"].seconds is None
    assert "fitted again" not in {each.model for each in measured(early(), rows, refit=False)}


def test_too_few_rows_to_measure_are_said() -> None:
    with pytest.raises(DataError, match="1 new rows are too few"):
        measured(early(), log().tail(1))


def test_a_worse_model_is_found_worse_and_an_equal_one_is_not() -> None:
    held_out = HeldOut(log().iloc[EARLY:])
    random = cofilter.RandomRanking(scale=(1.0, 5.0)).fit(log().iloc[:EARLY])
    popular = cofilter.Popularity(scale=(1.0, 5.0)).fit(log().iloc[:EARLY])
    (ndcg,) = compare(popular, random, held_out)
    assert ndcg.metric == "ndcg@10"
    assert ndcg.difference == pytest.approx(ndcg.second - ndcg.first)
    assert ndcg.low <= ndcg.difference <= ndcg.high
    for each in compare(early(), early(), held_out):
        assert (each.difference, each.low, each.high, each.worse) == (0, 0, 0, False)
    mean = cofilter.GlobalMean(scale=(1.0, 5.0)).fit(log().iloc[:EARLY])
    (rmse,) = compare(early(), mean, held_out)
    assert rmse.metric == "rmse"
    assert rmse.worse is (rmse.low > 0)
    assert rmse.low > 0


def test_rows_that_a_model_knows_are_not_compared_on() -> None:
    with pytest.raises(DataError, match="the models know all of these rows"):
        compare(factors(), early(), HeldOut(log()))
    held_out = HeldOut(log().iloc[EARLY - 50 :])
    (*_, rmse) = compare(early(), early(), held_out)
    target = held_out.target([early()])
    assert len(target.rating) == len(log()) - EARLY
    assert rmse.users == len(target.users)


def test_models_without_a_metric_in_common_are_said() -> None:
    mean = cofilter.GlobalMean(scale=(1.0, 5.0)).fit(log().iloc[:EARLY])
    popular = cofilter.Popularity(scale=(1.0, 5.0)).fit(log().iloc[:EARLY])
    with pytest.raises(DataError, match="no metric in common"):
        compare(mean, popular, HeldOut(log().iloc[EARLY:]))


def test_an_updated_model_beats_the_one_before_where_users_are_new() -> None:
    model = early()
    new = log().iloc[EARLY:]
    strangers = new.assign(**{USER: new[USER] + 1000})
    first = strangers.groupby(USER).head(4)
    rest = strangers.drop(first.index)
    (*_, rmse) = compare(model, updated(model, first), HeldOut(rest))
    assert rmse.second < rmse.first


@pytest.mark.parametrize(("content", "line"), [
    ("user_id,item_id\n", "no rows"),
    ("user,item\n1,2\n", "no column user_id, item_id; it has user, item"),
    ("user_id,item_id\n1,2\nx,3\n", "line 3: user_id 'x', a whole number is expected"),
    ("user_id,item_id,rating\n1,2,4\n1,3,good\n", "line 3: rating 'good', a number is expected"),
    ("user_id,item_id,rating\n1,2,9\n", "rating 9; a number from 1 to 5 is expected"),
    ("user_id,item_id,timestamp\n1,2,today\n", "timestamp 'today', seconds since 1970"),
    ("", "not readable"),
])  # fmt: skip
def test_what_new_ratings_are_wrong_in_is_one_line(content: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=line) as error:
        read_new_ratings(path, factors())
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_of_a_repeated_pair_the_latest_row_stays(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {USER: [1, 1, 2], ITEM: [5, 5, 5], RATING: [4.0, 2.0, 3.0], TIMESTAMP: [20, 10, 15]}
    )
    for name in ("new.csv", "new.parquet"):
        path = tmp_path / name
        rows.to_csv(path, index=False) if name == "new.csv" else rows.to_parquet(path)
        found = read_new_ratings(path, factors())
        assert found[USER].tolist() == [2, 1]
        assert found[RATING].tolist() == [3.0, 4.0]
    rows.drop(columns=[TIMESTAMP, RATING]).to_csv(tmp_path / "new.csv", index=False)
    found = read_new_ratings(tmp_path / "new.csv", als())
    assert found[RATING].tolist() == [5.0, 5.0]
    assert np.array_equal(found[USER], [1, 2])
