from __future__ import annotations

import numpy as np
import pytest

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import Entry
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
    assert (found.family, found.point, found.validation) == ("mf", "b", 0.4)
    assert (found.candidates, found.runner_up, found.runner_up_validation) == (2, "mf/a", 0.3)
    assert found.gain is None  # there is no baseline here


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
