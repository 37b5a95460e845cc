"""Which model ships, and why."""

from __future__ import annotations

from collections.abc import Sequence

from cofilter.core.config import Config
from cofilter.evaluation.backtested import NO_BACKTEST, Backtested
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.intervals import Contributions
from cofilter.evaluation.leaderboard import (
    BACKTEST,
    ChosenOn,
    Entry,
    chosen_on,
    figure_on,
    selected,
)
from cofilter.evaluation.significance import paired_difference

# What a method must beat: the first of these with the primary metric is what the gain is over.
REFERENCES = ("popularity", "bias", "global_mean")


class Hits(Config):
    """Of 100 warm test users with a relevant item, how many find one in their list.

    Attributes
    ----------
    k:
        Length of the list.
    shipped, over:
        With the shipped model, and with the baseline that the gain is over.
    low, high:
        Interval of the difference by bootstrap over users, paired.
    """

    k: int
    shipped: float
    over: float
    low: float
    high: float


class Gain(Config):
    """The shipped model's primary metric on warm test rows less a baseline's, paired by user.

    Attributes
    ----------
    over:
        The baseline, family/point.
    low, high:
        Interval of the difference by bootstrap over users.
    users:
        Who take part.
    hits:
        The same in users who find something; None where one of the two does not rank.
    """

    over: str
    difference: float
    low: float
    high: float
    users: int
    hits: Hits | None


class Shipped(Config):
    """The model to ship: the best in the backtest or on validation; test has no say.

    Attributes
    ----------
    chosen_on:
        Which of the two it was.
    figure:
        Its primary metric there, warm.
    candidates:
        How many models have that figure.
    runner_up, runner_up_figure:
        The second best, or None.
    windows, pairs:
        Of the backtest: its windows, and the (user, window) pairs that were ranked; None where
        validation chose.
    note:
        Why validation chose where a backtest was wanted; None otherwise.
    gain:
        None when it is such a baseline itself, or when there is none to compare with.
    """

    family: str
    point: str
    chosen_on: ChosenOn
    figure: float
    candidates: int
    runner_up: str | None
    runner_up_figure: float | None
    windows: int | None
    pairs: int | None
    note: str | None
    gain: Gain | None


def shipped(
    entries: Sequence[Entry], config: EvaluateConfig, backtested: Backtested = NO_BACKTEST
) -> Shipped | None:
    """What ships of the leaderboard's entries; None when none has the figure that chooses.

    ``backtested`` is the backtest that the entries' figures come from.
    """
    chosen = chosen_on(entries, config)
    ordered = sorted(entries, key=lambda entry: entry.order)
    best = selected(ordered, config)
    figure = None if best is None else figure_on(chosen, best)
    if best is None or figure is None:
        return None
    others = [entry for entry in ordered if entry is not best]
    second = selected(others, config)
    return Shipped(
        family=best.family,
        point=best.point,
        chosen_on=chosen,
        figure=figure,
        candidates=sum(figure_on(chosen, entry) is not None for entry in entries),
        runner_up=None if second is None else name_of(second),
        runner_up_figure=None if second is None else figure_on(chosen, second),
        windows=backtested.windows if chosen == BACKTEST else None,
        pairs=backtested.pairs if chosen == BACKTEST else None,
        note=_note(chosen, config, backtested),
        gain=gain_of(best, others, config),
    )


def _note(chosen: ChosenOn, config: EvaluateConfig, backtested: Backtested) -> str | None:
    if chosen == config.select_on:
        return None
    return backtested.reason or "no model of the sweep took part in the backtest"


def gain_of(best: Entry, others: Sequence[Entry], config: EvaluateConfig) -> Gain | None:
    """How much a model gains over the first of the `REFERENCES` that is among ``others``."""
    by_name = {name_of(entry): entry for entry in others if entry.primary is not None}
    references = [by_name[name] for name in map(_baseline, REFERENCES) if name in by_name]
    if best.primary is None or not references or name_of(best) in map(_baseline, REFERENCES):
        return None
    reference = references[0]
    assert reference.primary is not None
    difference, low, high = paired_difference(reference.primary, best.primary, config.uncertainty)
    return Gain(
        over=name_of(reference),
        difference=difference,
        low=low,
        high=high,
        users=int((best.primary.denominator > 0).sum()),
        hits=_hits(best.hits, reference.hits, config),
    )


def _hits(
    best: Contributions | None, reference: Contributions | None, config: EvaluateConfig
) -> Hits | None:
    if best is None or reference is None:
        return None
    _, low, high = paired_difference(reference, best, config.uncertainty)
    n_users = best.denominator.sum()
    shares = [100 * float(each.numerator.sum() / n_users) for each in (best, reference)]
    return Hits(
        k=config.list_length, shipped=shares[0], over=shares[1], low=100 * low, high=100 * high
    )


def name_of(entry: Entry) -> str:
    """``family/point``."""
    return f"{entry.family}/{entry.point}"


def _baseline(point: str) -> str:
    return f"baseline/{point}"
