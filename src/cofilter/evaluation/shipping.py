"""Which model ships, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cofilter.core.config import Config
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import Entry, selected
from cofilter.evaluation.significance import differences_to_best

# What a method must beat: the first of these with the primary metric is what the gain is over.
REFERENCES = ("popularity", "bias", "global_mean")


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
    """

    over: str
    difference: float
    low: float
    high: float
    users: int


class Shipped(Config):
    """The model to ship: the best on validation, where test has no say.

    Attributes
    ----------
    validation:
        Its primary metric there, warm.
    candidates:
        How many models have that figure.
    runner_up, runner_up_validation:
        The second best, or None.
    gain:
        None when it is such a baseline itself, or when there is none to compare with.
    """

    family: str
    point: str
    chosen_by: Literal["validation"] = "validation"
    validation: float
    candidates: int
    runner_up: str | None
    runner_up_validation: float | None
    gain: Gain | None


def shipped(entries: Sequence[Entry], config: EvaluateConfig) -> Shipped | None:
    """What ships of the leaderboard's entries; None when validation has no figure of any."""
    ordered = sorted(entries, key=lambda entry: entry.order)
    best = selected(ordered, config)
    if best is None or best.validation is None:
        return None
    others = [entry for entry in ordered if entry is not best]
    second = selected(others, config)
    return Shipped(
        family=best.family,
        point=best.point,
        validation=best.validation,
        candidates=sum(entry.validation is not None for entry in entries),
        runner_up=None if second is None else name_of(second),
        runner_up_validation=None if second is None else second.validation,
        gain=gain_of(best, others, config),
    )


def gain_of(best: Entry, others: Sequence[Entry], config: EvaluateConfig) -> Gain | None:
    """How much a model gains over the first of the `REFERENCES` that is among ``others``."""
    by_name = {name_of(entry): entry for entry in others if entry.primary is not None}
    references = [by_name[name] for name in map(_baseline, REFERENCES) if name in by_name]
    if best.primary is None or not references or name_of(best) in map(_baseline, REFERENCES):
        return None
    reference = references[0].primary
    assert reference is not None
    _, found = differences_to_best([reference, best.primary], config.uncertainty)
    return Gain(
        over=name_of(references[0]),
        difference=found.difference,
        low=found.low,
        high=found.high,
        users=int((best.primary.denominator > 0).sum()),
    )


def name_of(entry: Entry) -> str:
    """``family/point``."""
    return f"{entry.family}/{entry.point}"


def _baseline(point: str) -> str:
    return f"baseline/{point}"
