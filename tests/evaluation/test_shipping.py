from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cofilter.evaluation.backtested import Backtested
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.headline import headline
from cofilter.evaluation.intervals import Contributions
from cofilter.evaluation.leaderboard import Entry, leaderboard
from cofilter.evaluation.shipping import shipped
from cofilter.evaluation.uncertainty import resampled_ratios
from tests.evaluation.test_leaderboard import entry


def baseline(config: EvaluateConfig, point: str, warm: float | None) -> Entry:
    return entry(config, point, warm=warm, validation=0.01, family="baseline")


def test_validation_chooses_and_the_runner_up_is_named(config: EvaluateConfig) -> None:
    entries = [
        entry(config, "a", warm=0.9, validation=0.3),
        entry(config, "b", warm=0.2, validation=0.4),
        entry(config, "c", warm=0.8, validation=None),
    ]
    found = shipped(entries, config)
    assert found is not None
    assert (found.family, found.point, found.figure) == ("mf", "b", 0.4)
    assert (found.candidates, found.runner_up, found.runner_up_figure) == (2, "mf/a", 0.3)
    assert found.gain is None  # there is no baseline here


BACKTESTED = Backtested(None, {"mf/a": 0.2, "mf/b": 0.1}, windows=3, pairs=70)


def backtested_entries(config: EvaluateConfig) -> list[Entry]:
    """By validation "b" is the best that took part, and "out" of all; by the backtest "a"."""
    out = entry(config, "out", warm=0.9, validation=0.9)
    able = (("a", 0.1), ("b", 0.4))
    some = [entry(config, name, warm=0.3, validation=figure) for name, figure in able]
    return [out, *(replace(e, backtest=BACKTESTED.figures[f"mf/{e.point}"]) for e in some)]


def test_the_backtest_chooses_among_what_took_part(config: EvaluateConfig) -> None:
    entries = backtested_entries(config)
    found = shipped(entries, config, BACKTESTED)
    assert found is not None
    assert (found.point, found.chosen_on, found.figure) == ("a", "backtest", 0.2)
    assert (found.candidates, found.runner_up, found.runner_up_figure) == (2, "mf/b", 0.1)
    assert (found.windows, found.pairs, found.note) == (3, 70, None)
    table = leaderboard(entries, config, []).set_index("point")
    assert table["selected"].to_dict() == {"out": False, "a": True, "b": False}
    assert table["backtest_ndcg@5"].fillna(-1).to_dict() == {"out": -1, "a": 0.2, "b": 0.1}
    assert headline(table.reset_index(), config)["shipped"]["backtest"] == 0.2


def test_an_error_s_best_in_the_backtest_is_its_lowest(config: EvaluateConfig) -> None:
    config = config.model_copy(update={"primary": "rmse"})
    found = shipped(backtested_entries(config), config, BACKTESTED)
    assert found is not None
    assert found.point == "b"


def test_validation_chooses_where_it_is_asked_to(config: EvaluateConfig) -> None:
    config = config.model_copy(update={"select_on": "validation"})
    found = shipped(backtested_entries(config), config, BACKTESTED)
    assert found is not None
    assert (found.point, found.chosen_on, found.note) == ("out", "validation", None)
    assert (found.windows, found.pairs) == (None, None)


@pytest.mark.parametrize(
    ("backtested", "note"),
    [
        (Backtested("split random has no test instant"), "split random has no test instant"),
        (BACKTESTED, "no model of the sweep took part in the backtest"),
    ],
)
def test_without_a_backtest_validation_chooses_and_the_note_says_why(
    backtested: Backtested, note: str, config: EvaluateConfig
) -> None:
    found = shipped([entry(config, "a", warm=0.1, validation=0.2)], config, backtested)
    assert found is not None
    assert (found.chosen_on, found.note) == ("validation", note)


def test_of_equals_the_first_by_family_ships_in_whatever_order_they_come(
    config: EvaluateConfig,
) -> None:
    entries = [entry(config, "x", warm=0.1, validation=0.2, family=f) for f in ("mf", "als")]
    found = shipped(entries, config)
    assert found is not None
    assert found.family == "als"


def test_the_gain_is_paired_by_user(config: EvaluateConfig) -> None:
    best = entry(config, "b", warm=0.25, validation=0.4)
    other = baseline(config, "popularity", 0.2)
    found = shipped([other, baseline(config, "bias", 0.1), best], config)
    assert found is not None
    assert found.gain is not None
    gain = found.gain
    assert (gain.over, gain.users) == ("baseline/popularity", 40)
    assert gain.difference == pytest.approx(0.05)
    assert best.primary is not None
    assert other.primary is not None
    numerator = np.column_stack([best.primary.numerator, other.primary.numerator])
    drawn = resampled_ratios(numerator, np.ones((40, 2)), config.uncertainty)
    ends = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    assert (gain.low, gain.high) == pytest.approx(ends.tolist(), abs=1e-3)


def test_the_gain_is_told_in_users_who_find_something(config: EvaluateConfig) -> None:
    """Of 40 users 30 find something with the one, 20 with the other, 15 of them the same."""
    found_by = np.arange(40)
    one = Contributions((found_by < 30).astype(float), np.ones(40), False)
    other = Contributions(((found_by >= 15) & (found_by < 35)).astype(float), np.ones(40), False)
    best = replace(entry(config, "b", warm=0.25, validation=0.4), hits=one)
    popularity = baseline(config, "popularity", 0.2)
    found = shipped([replace(popularity, hits=other), best], config)
    assert found is not None
    assert found.gain is not None
    assert found.gain.hits is not None
    hits = found.gain.hits
    assert (hits.k, hits.shipped, hits.over) == (config.list_length, 75.0, 50.0)
    drawn = resampled_ratios(
        np.column_stack([one.numerator, other.numerator]), np.ones((40, 2)), config.uncertainty
    )
    ends = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    assert (hits.low, hits.high) == pytest.approx(tuple(100 * ends))
    without = shipped([popularity, best], config)
    assert without is not None
    assert without.gain is not None
    assert without.gain.hits is None  # the baseline does not rank


@pytest.mark.parametrize(
    ("point", "over"),
    [("recent_popularity", "baseline/popularity"), ("popularity", None)],
)
def test_a_plain_baseline_gains_over_none(
    point: str, over: str | None, config: EvaluateConfig
) -> None:
    best = entry(config, point, warm=0.3, validation=0.4, family="baseline")
    others = [baseline(config, name, 0.2) for name in ("popularity", "bias") if name != point]
    found = shipped([best, *others], config)
    assert found is not None
    assert (found.gain and found.gain.over) == over


def test_a_baseline_without_the_primary_metric_is_passed_over(config: EvaluateConfig) -> None:
    best = entry(config, "b", warm=0.3, validation=0.4)
    others = [baseline(config, "popularity", None), baseline(config, "bias", 0.2)]
    found = shipped([best, *others], config)
    assert found is not None
    assert found.gain is not None
    assert found.gain.over == "baseline/bias"


def test_nothing_ships_when_validation_has_no_figure(config: EvaluateConfig) -> None:
    assert shipped([entry(config, "a", warm=0.9, validation=None)], config) is None
    assert shipped([], config) is None
