"""Figures of one window, and of all windows pooled over (user, window)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cofilter.core.matrix import IdMap
from cofilter.evaluation.config import EvaluateConfig, UncertaintyConfig
from cofilter.evaluation.intervals import Contributions, Interval, contributions_to
from cofilter.evaluation.significance import differences_to_best
from cofilter.evaluation.uncertainty import ratio_intervals
from cofilter.scoring.config import lower_is_better, metric_names
from cofilter.scoring.scores import ScopeScores


def pooled(
    users: IdMap, by_window: Sequence[tuple[IdMap, ScopeScores]], name: str
) -> Contributions | None:
    """What each user adds to a metric over all windows; None when no window has the metric.

    The pooled metric is a mean over (user, window) pairs, or Σ errors / Σ rows: with n(u, w) what
    user u adds in window w and d(u, w) what it counts there, Σ n / Σ d over both. A user's windows
    are summed first, so that a bootstrap or a sign flip takes a user with all of its windows: the
    bootstrap is clustered by user (Cameron, Gelbach and Miller 2008).

    Parameters
    ----------
    users:
        All users of all windows.
    by_window:
        The window's users, and a method's scores of them.
    """
    numerator, denominator = np.zeros(len(users)), np.zeros(len(users))
    root, some = False, False
    for ids, scores in by_window:
        found = contributions_to(name, scores, len(ids))
        if found is None:
            continue
        at = users.index(ids.ids)
        numerator[at] += found.numerator
        denominator[at] += found.denominator
        root, some = found.root, True
    return Contributions(numerator, denominator, root) if some else None


def value_of(found: Contributions) -> float:
    """The metric."""
    ratio = float(found.numerator.sum() / found.denominator.sum())
    return float(np.sqrt(ratio)) if found.root else ratio


def intervals_of(
    found: Mapping[str, Contributions], config: UncertaintyConfig
) -> dict[str, Interval]:
    """Interval of each metric by bootstrap over users, a user being drawn with all that it adds."""
    ends: dict[str, Interval] = {}
    for root in (False, True):
        names = [name for name, each in found.items() if each.root is root]
        if not names:
            continue
        low, high = ratio_intervals(
            np.column_stack([found[name].numerator for name in names]),
            np.column_stack([found[name].denominator for name in names]),
            config,
            root=root,
        )
        ends |= dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    return ends


def best_set(
    primary: Mapping[str, Contributions | None], config: EvaluateConfig
) -> dict[str, tuple[int, bool]]:
    """Rank, and whether it is not told from the best, of each method that has the primary metric.

    As the leaderboard's best set (`differences_to_best`). Ties share the better rank.
    """
    there = {name: each for name, each in primary.items() if each is not None}
    sign = 1 if lower_is_better(config.primary) else -1
    order = sorted(there, key=lambda name: sign * value_of(there[name]))  # stable
    told = differences_to_best([there[name] for name in order], config.uncertainty)
    values = [value_of(there[name]) for name in order]
    return {
        name: (values.index(values[at]) + 1, told[at].best_set) for at, name in enumerate(order)
    }


def all_metrics(
    users: IdMap, by_window: Sequence[tuple[IdMap, ScopeScores]], config: EvaluateConfig
) -> dict[str, Contributions]:
    """`pooled` of every metric that there is, in the order of files."""
    found = {name: pooled(users, by_window, name) for name in metric_names(config)}
    return {name: each for name, each in found.items() if each is not None}
