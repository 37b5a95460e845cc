from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.cold_start import COLUMNS, Newcomers, cold_start
from cofilter.evaluation.config import ColdStartConfig, EvaluateConfig
from cofilter.models.baseline.model import BiasBaseline, Popularity
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.config import ModelConfig
from tests.evaluation.conftest import make_config, make_ratings

ASKED = ColdStartConfig(revealed=(0, 1, 3), max_users=50, seed=0)
THRESHOLD = 3.5


@pytest.fixture
def ratings() -> pd.DataFrame:
    return make_ratings(n_users=60)


@pytest.fixture
def split() -> SplitConfig:
    """A long test part, so that some users are new in it."""
    return SplitConfig(kind="global_temporal", validation_share=0.1, test_share=0.6)


@pytest.fixture
def newcomers(parts: Parts) -> Newcomers:
    found = Newcomers.of(parts, ASKED, THRESHOLD)
    assert len(found.ids) >= 3
    return found


def test_newcomers_are_unknown_to_every_model_and_have_more_than_is_revealed(
    parts: Parts, newcomers: Newcomers
) -> None:
    known = set(parts.train[USER]) | set(parts.validation[USER])
    counts = parts.test[USER].value_counts()
    expected = [user for user, n in counts.items() if user not in known and n > 3]
    assert sorted(expected) == newcomers.ids.tolist()
    both = pd.concat([newcomers.history, newcomers.rest])
    assert len(both) == counts[expected].sum()
    assert not both.duplicated([USER, ITEM]).any()


def test_what_is_revealed_came_before_what_is_predicted(newcomers: Newcomers) -> None:
    last = newcomers.history.groupby(USER)[TIMESTAMP].max()
    first = newcomers.rest.groupby(USER)[TIMESTAMP].min()
    assert (last <= first).all()
    for n in ASKED.revealed:
        sizes = newcomers.revealed(n).groupby(USER).size()
        assert (sizes == n).all()
        assert len(sizes) == (len(newcomers.ids) if n else 0)


def test_equal_times_are_ordered_by_item_whatever_the_row_order(parts: Parts) -> None:
    test = parts.test.assign(**{TIMESTAMP: parts.test[TIMESTAMP].max()})
    shuffled = test.sample(frac=1, random_state=1)
    found = [
        Newcomers.of(Parts(parts.train, parts.validation, rows), ASKED, THRESHOLD)
        for rows in (test, shuffled)
    ]
    first, second = (each.revealed(1)[[USER, ITEM]].to_numpy() for each in found)
    assert np.array_equal(first, second)
    lowest = test[test[USER].isin(found[0].ids)].groupby(USER)[ITEM].min()
    assert first[:, 1].tolist() == lowest.tolist()


def test_a_draw_of_too_many_is_named_by_its_seed(parts: Parts) -> None:
    few = ASKED.model_copy(update={"max_users": 2})
    ids = [Newcomers.of(parts, few, THRESHOLD).ids.tolist() for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2
    assert set(ids[0]) <= set(Newcomers.of(parts, ASKED, THRESHOLD).ids.tolist())


def test_the_error_is_that_of_folding_in_by_hand(
    parts: Parts, newcomers: Newcomers, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = BiasBaseline(model_config).fit(parts.train)
    table = cold_start(model, newcomers, config).set_index("revealed")
    assert table.index.tolist() == [0, 1, 3]
    assert (table["rows"] == len(newcomers.rest)).all()
    for n in (1, 3):
        squares = []
        for user in newcomers.ids:
            own = newcomers.revealed(n)
            person = model.fold_in(own.loc[own[USER] == user, [USER, ITEM, RATING]])
            rest = newcomers.rest[newcomers.rest[USER] == user]
            predicted = model.predict(person.take([user] * len(rest)), rest[ITEM])
            squares += ((rest[RATING].to_numpy() - predicted) ** 2).tolist()
        assert table.at[n, "rmse"] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)
        assert table.at[n, "rmse_low"] <= table.at[n, "rmse"] <= table.at[n, "rmse_high"]
    stranger = model.predict([-1] * len(newcomers.rest), newcomers.rest[ITEM])
    error = newcomers.rest[RATING].to_numpy() - stranger
    assert table.at[0, "rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)


def test_lists_leave_out_what_was_revealed_and_are_judged_by_the_rest(
    parts: Parts, newcomers: Newcomers, model_config: ModelConfig, config: EvaluateConfig
) -> None:
    model = Popularity(model_config).fit(parts.train)
    table = cold_start(model, newcomers, config).set_index("revealed")
    assert table["rmse"].isna().all()
    counts = parts.train[ITEM].value_counts()
    order = sorted(counts.index, key=lambda item: (-counts[item], item))
    gains = []
    for user in newcomers.ids:
        own = newcomers.revealed(3)
        seen = set(own.loc[own[USER] == user, ITEM])
        rest = newcomers.rest[newcomers.rest[USER] == user]
        relevant = set(rest.loc[rest[RATING] >= 3.5, ITEM]) & set(order)
        if relevant:
            ranked = [item for item in order if item not in seen][:5]
            found = sum(1 / np.log2(at + 2) for at, item in enumerate(ranked) if item in relevant)
            gains.append(found / sum(1 / np.log2(at + 2) for at in range(min(5, len(relevant)))))
    assert table.at[3, "ndcg"] == pytest.approx(np.mean(gains))


def test_without_newcomers_or_times_there_is_no_curve(
    parts: Parts, model_config: ModelConfig
) -> None:
    timeless = Parts(*(part.drop(columns=TIMESTAMP) for part in (parts.train, parts.validation)),
                     parts.test.drop(columns=TIMESTAMP))  # fmt: skip
    everybody = Parts(parts.test, parts.validation, parts.test)
    model, config = BiasBaseline(model_config).fit(parts.train), make_config()
    for without in (timeless, everybody):
        none = Newcomers.of(without, ASKED, THRESHOLD)
        assert not len(none.ids)
        table = cold_start(model, none, config)
        assert table.empty
        assert tuple(table.columns) == COLUMNS[2:]


def test_what_is_revealed_must_ascend() -> None:
    with pytest.raises(ValueError, match="is not ascending"):
        ColdStartConfig(revealed=(3, 1), max_users=1, seed=0)
