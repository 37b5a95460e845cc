"""What choosing on test would have promised: the selection premium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.intervals import Contributions, contributions_to
from cofilter.evaluation.leaderboard import Entry
from cofilter.evaluation.significance import paired_difference
from cofilter.scoring.config import lower_is_better, metric_names
from cofilter.scoring.folders import ENSEMBLE
from cofilter.scoring.scores import Scores

CHOSEN_ON = ("test", "validation")
COLUMNS = [
    "metric",
    "points",
    *(f"chosen_on_{part}" for part in CHOSEN_ON),
    *(f"test_figure_{part}" for part in CHOSEN_ON),
    "premium",
    "low",
    "high",
    "users",
]


@dataclass(frozen=True)
class _Choice:
    """A point, what it is chosen by (the least key), and what each user adds to its test figure."""

    key: tuple[Any, ...]
    name: str
    figure: float
    added: Contributions


@dataclass
class SelectionPremium:
    """Follows a comparison model by model.

    Of each metric there are two points in question: the best on test and the best on validation,
    warm. They come from one grid, the points of the sweep that have the metric on both; the blend
    is none of them. Among equals the first by family and point is taken. Only these two are kept,
    so that memory does not grow with the sweep.
    """

    config: EvaluateConfig
    _choices: dict[tuple[str, str], _Choice] = field(default_factory=dict)
    _points: dict[str, int] = field(default_factory=dict)

    def see(self, entry: Entry, validation: Mapping[str, float | None], scores: Scores) -> None:
        """Take in one model: its row, its warm metrics on validation, its scores on test."""
        if entry.family == ENSEMBLE:
            return
        for metric in metric_names(self.config):
            figures = {"test": entry.summary["warm"][metric], "validation": validation.get(metric)}
            added = contributions_to(metric, scores.warm, len(scores.user_ids))
            if None in figures.values() or added is None:
                continue
            self._points[metric] = self._points.get(metric, 0) + 1
            for part, figure in figures.items():
                key = (figure if lower_is_better(metric) else -figure, entry.order)
                known = self._choices.get((metric, part))
                if known is None or key < known.key:
                    name = f"{entry.family}/{entry.point}"
                    choice = _Choice(key, name, figures["test"], added)
                    self._choices[metric, part] = choice

    def table(self) -> pd.DataFrame:
        """A row a metric, in the order of `metric_names`; `COLUMNS`.

        ``points`` is the size of the grid. ``premium`` is the test figure of the point that test
        would have chosen less that of the point that validation chose: at least 0, and for errors
        at most 0. ``low`` and ``high`` are the interval of that difference of two points by
        bootstrap over users, paired; that test chose by these very users is not made up for.
        ``users``: who take part in the metric.
        """
        rows = []
        for metric, points in sorted(self._points.items(), key=lambda each: self._at(each[0])):
            on_test, on_validation = (self._choices[metric, part] for part in CHOSEN_ON)
            premium, low, high = 0.0, 0.0, 0.0
            if on_test.name != on_validation.name:
                premium, low, high = paired_difference(
                    on_validation.added, on_test.added, self.config.uncertainty
                )
            names = on_test.name, on_validation.name
            figures = on_test.figure, on_validation.figure
            users = int((on_test.added.denominator > 0).sum())
            rows.append([metric, points, *names, *figures, premium, low, high, users])
        return pd.DataFrame(rows, columns=COLUMNS)

    def _at(self, metric: str) -> int:
        return metric_names(self.config).index(metric)
