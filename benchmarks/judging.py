"""How a row's outcomes become lines of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, median

import numpy as np

from benchmarks.row import OURS, Line, Outcome, Outcomes, fact_of, seconds_of

Judge = Callable[[Outcomes], list[Line]]
TIE = 1e-5  # similarities and scores that differ by less are a tie: any order of ids is right


def seconds(value: float) -> str:
    """Three digits and a unit."""
    return f"{value:,.3g} s" if value >= 0.1 else f"{value * 1e3:,.3g} ms"


def times(factor: float) -> str:
    """A factor of a bar; small ones as a fraction."""
    return f"{factor:g}" if factor >= 0.3 else f"1/{1 / factor:.3g}"


def faster(
    what: str,
    peer: str,
    at_most: float,
    ours: str = OURS,
    unit: str = "",
    extra: Callable[[Outcomes], tuple[bool, str]] | None = None,
) -> Judge:
    """Ours takes at most a share of the peer's time, and ``extra`` holds too."""

    def judge(outcomes: Outcomes) -> list[Line]:
        mine, theirs = seconds_of(outcomes[ours]), seconds_of(outcomes[peer])
        holds, note = extra(outcomes) if extra else (True, "")
        ratio = mine / theirs
        bar = f"≤ {times(at_most)} × {peer}"
        figures = (seconds(mine) + unit, seconds(theirs) + unit)
        return [Line(what, bar, *figures, ratio, ratio <= at_most and holds, note)]

    return judge


def beside(what: str, peer: str, ours: str = OURS) -> Judge:
    """The same comparison with no bar."""

    def judge(outcomes: Outcomes) -> list[Line]:
        mine, theirs = seconds_of(outcomes[ours]), seconds_of(outcomes[peer])
        figures = (seconds(mine), f"{seconds(theirs)} ({peer})")
        return [Line(what, "beside", *figures, mine / theirs)]

    return judge


def all_of(*judges: Judge) -> Judge:
    """The lines of several judges."""
    return lambda outcomes: [line for judge in judges for line in judge(outcomes)]


def more_a_second(
    what: str,
    peer: str,
    at_least: float,
    ours: str = OURS,
    extra: Callable[[Outcomes], tuple[bool, str]] | None = None,
) -> Judge:
    """Ours makes at least so many times the peer's predictions a second; fits are noted."""

    def judge(outcomes: Outcomes) -> list[Line]:
        rate = {name: fact_of(outcomes[name], "per_second") for name in (ours, peer)}
        fit = {name: seconds(fact_of(outcomes[name], "fit_seconds")) for name in (ours, peer)}
        holds, note = extra(outcomes) if extra else (True, "")
        ratio = rate[ours] / rate[peer]
        return [
            Line(
                what,
                f"≥ {at_least:,g} × {peer}",
                f"{rate[ours]:,.0f}/s",
                f"{rate[peer]:,.0f}/s",
                ratio,
                ratio >= at_least and holds,
                f"fit {fit[ours]} against {fit[peer]}{'; ' if note else ''}{note}",
            )
        ]

    return judge


def not_worse(
    fact: str, peer: str, ours: str = OURS, higher: bool = False, slack: float = 0.0
) -> Callable[[Outcomes], tuple[bool, str]]:
    """The mean over the processes of a fact is not worse than the peer's, but for ``slack``."""

    def check(outcomes: Outcomes) -> tuple[bool, str]:
        mine, theirs = (mean_of(outcomes[name], fact) for name in (ours, peer))
        good = mine >= theirs - slack if higher else mine <= theirs + slack
        return good, f"{fact} {mine:.4f} against {theirs:.4f}"

    return check


def mean_of(outcomes: Sequence[Outcome], fact: str) -> float:
    """Mean over a side's processes (folds or seeds) of a fact."""
    return mean(float(outcome.facts[fact]) for outcome in outcomes)


def same_lists(
    ids: str, values: str, peer: str, ours: str = OURS
) -> Callable[[Outcomes], tuple[bool, str]]:
    """The best ids of every row are the same; where they differ, their values are tied."""

    def check(outcomes: Outcomes) -> tuple[bool, str]:
        mine, theirs = outcomes[ours][0], outcomes[peer][0]
        differ = mine.load(ids) != theirs.load(ids)
        x, y = mine.load(values).astype(float), theirs.load(values).astype(float)
        # Padding of short lists is −inf on one side and 0 or the lowest float on the other.
        x, y = (np.where(each > 0, each, 0.0) for each in (x, y))
        gap = float(np.max(np.abs(x - y) / np.maximum(np.abs(y), 1.0), initial=0.0))
        wrong = int((differ & ~tied(y)).sum())
        note = f"{1 - differ.mean():.2%} same ids, the others tied" if not wrong else (
            f"{wrong:,} ids differ without a tie"
        )  # fmt: skip
        return not wrong and gap <= TIE, f"{note}; values differ by {gap:.0e} at most"

    return check


def tied(values: np.ndarray) -> np.ndarray:
    """bool: where a list's value, best first, equals the one before, after, or the last one."""
    step = TIE * np.maximum(np.abs(values), 1.0)
    near = np.abs(np.diff(values, axis=1)) <= step[:, 1:]
    found = np.abs(values - values[:, -1:]) <= step
    found[:, 1:] |= near
    found[:, :-1] |= near
    return found


def same_predictions(peer: str, ours: str = OURS) -> Callable[[Outcomes], tuple[bool, str]]:
    """Nearly all predictions agree; ties at the last neighbour may be broken differently."""

    def check(outcomes: Outcomes) -> tuple[bool, str]:
        theirs = outcomes[peer][0].load("predicted")
        mine = outcomes[ours][0].load("predicted")[: len(theirs)]
        some = np.isfinite(theirs)
        same = float(np.mean(np.abs(mine[some] - theirs[some]) < 1e-3))
        return same > 0.99, f"{same:.2%} of its predictions are the same"

    return check


def reaches(what: str, peer: str, at_most: float, target: str = "rmse", ours: str = OURS) -> Judge:
    """Time to the peer's final test RMSE, process by process (same fold, other side's seed)."""

    def judge(outcomes: Outcomes) -> list[Line]:
        pairs = list(zip(outcomes[ours], outcomes[peer], strict=False))
        mine = [time_to(each, float(other.facts[target])) for each, other in pairs]
        theirs = median(float(other.facts["training_seconds"]) for _, other in pairs)
        goal = mean(float(other.facts[target]) for _, other in pairs)
        bar = f"≤ {times(at_most)} × {peer}"
        note = f"to RMSE {goal:.4f}; ours ends at {mean_of(outcomes[ours], 'rmse'):.4f}"
        known = [each for each in mine if each is not None]
        if len(known) < len(mine):
            text = f"not in {len(pairs[0][0].facts['curve'])} epochs"
            return [Line(what, bar, text, seconds(theirs), None, False, note)]
        ratio = median(known) / theirs
        return [
            Line(what, bar, seconds(median(known)), seconds(theirs), ratio, ratio <= at_most, note)
        ]

    return judge


def time_to(outcome: Outcome, rmse: float) -> float | None:
    """Seconds of training until a test RMSE is reached; None when it never is."""
    times = [elapsed for elapsed, value in outcome.facts["curve"] if value <= rmse]
    return times[0] if times else None


def within(what: str, at_most: float, unit: str, memory_gb: float | None = None) -> Judge:
    """Ours alone, against a limit of time and perhaps of memory."""

    def judge(outcomes: Outcomes) -> list[Line]:
        taken = seconds_of(outcomes[OURS])
        peak = max(outcome.peak_gb for outcome in outcomes[OURS])
        factor = 60 if unit == "min" else 1
        bar = f"≤ {at_most / factor:g} {unit}" + (f", ≤ {memory_gb:g} GB" if memory_gb else "")
        good = taken <= at_most and (memory_gb is None or peak <= memory_gb)
        stages = outcomes[OURS][0].facts.get("stages", outcomes[OURS][0].facts)
        note = ", ".join(f"{name} {value:,.1f} s" for name, value in stages.items())
        figure = f"{taken / factor:,.3g} {unit}, {peak:.2f} GB"
        return [Line(what, bar, figure, "", taken / at_most, good, note)]

    return judge
