"""What a run comes to: which data and split, which model ships and why, and how to load it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from cofilter.core import paths
from cofilter.core.config import parse
from cofilter.core.errors import DataError
from cofilter.core.io import read_json
from cofilter.core.parts import AUDIT, content_hashes
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.files import FACTS, IGNORE_WEIGHTS
from cofilter.evaluation.shipping import Gain, Hits, Shipped
from cofilter.scoring.folders import ENSEMBLE

NOWHERE = "on validation or in the backtest"
_FACTS = ("evaluate", "split", "source", "feedback", "left_out", "shipped", "trained")
EVALUATE_FIRST = "run the stage evaluate first"


def read_facts(results: Path) -> dict[str, Any]:
    """Read ``facts.json``; a missing file or one of an earlier version is a `DataError`."""
    path = results / FACTS
    if not path.is_file():
        raise DataError(f"{path}: file not found; {EVALUATE_FIRST}")
    facts: dict[str, Any] = read_json(path)
    missing = [name for name in _FACTS if name not in facts]
    if missing:
        raise DataError(f"{path}: no {', '.join(missing)}; {EVALUATE_FIRST}")
    return facts


def refuse_other_data(checkout: Path, facts: Mapping[str, Any]) -> None:
    """Raise `DataError` when results are of other parts than those that the split now holds.

    That is so after a run of other data that did not reach its end. Without a split there is
    nothing to compare with.
    """
    path = checkout / paths.SPLIT / AUDIT
    if not path.is_file():
        return
    audit = read_json(path)
    if content_hashes(audit) == content_hashes(facts["split"]):
        return
    source = checkout / paths.SOURCE
    present = about(read_json(source) if source.is_file() else None, audit)
    raise DataError(
        f"{checkout / paths.RESULTS} is of {about(facts['source'], facts['split'])}, but "
        f"{checkout / paths.SPLIT} now holds {present}: the last run did not reach its end; "
        "`make repro` makes results of these"
    )


def print_conclusion(facts: Mapping[str, Any], console: Console) -> None:
    """Print the last lines of a run."""
    for name, text in conclusion(facts):
        console.print(Text(f"{name + ':':<6}{text}"), soft_wrap=True)


def conclusion(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines by name: data, ship, gain, hits where there are any, and load."""
    yield "data", about(facts["source"], facts["split"], facts["feedback"])
    config = parse(EvaluateConfig, facts["evaluate"], "evaluate")
    if facts["shipped"] is None:
        yield "ship", f"no model: none has {config.primary} {NOWHERE}"
        return
    chosen = parse(Shipped, facts["shipped"], "shipped")
    yield "ship", _why(chosen, config)
    yield "gain", _gain(chosen.gain, config)
    if chosen.gain is not None and chosen.gain.hits is not None:
        yield "hits", hits_of(chosen.gain, chosen.gain.hits)
    yield "load", f'cofilter.load("{folder_of(chosen)}")'


def left_out(facts: Mapping[str, Any]) -> list[str]:
    """A line for each reason why methods could not be trained on the data, with their names.

    Last, where rows have weights, a line with the models that do not use them.
    """
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, reason in facts["left_out"].items():
        by_reason[reason].append(name)
    lines = [f"left out, {why}: {', '.join(names)}" for why, names in by_reason.items()]
    if facts.get(IGNORE_WEIGHTS):
        lines.append(f"not using the weights of the rows: {', '.join(facts[IGNORE_WEIGHTS])}")
    return lines


def about(
    source: Mapping[str, Any] | None, audit: Mapping[str, Any], feedback: str = "ratings"
) -> str:
    """The data and the split in a few words."""
    name = "unnamed data" if source is None else source["name"]
    rows = sum(part["rows"] for part in audit["parts"].values())
    instants = audit.get("instants")
    since = f", test from {_day(instants['test'])}" if instants else ""
    return f"{name}, {rows:,} {feedback}, split {audit['kind']}{since}"


def folder_of(chosen: Shipped) -> Path:
    """Where the model lies, from the checkout."""
    if chosen.family == ENSEMBLE:
        return paths.BLENDED
    return paths.MODELS / chosen.family / chosen.point


def _why(chosen: Shipped, config: EvaluateConfig) -> str:
    second = ""
    if chosen.runner_up is not None:
        second = f"; next {chosen.runner_up} {chosen.runner_up_figure:.4f}"
    return (
        f"{chosen.family}/{chosen.point}, the best of {chosen.candidates} {where_chosen(chosen)}: "
        f"{config.primary} {chosen.figure:.4f}{second}"
    )


def where_chosen(chosen: Shipped) -> str:
    """On what the model was chosen, in a few words."""
    if chosen.windows is not None:
        windows = f"{chosen.windows} window" + "s" * (chosen.windows > 1)
        return f"in a backtest of {windows} ({chosen.pairs:,} pairs of user and window)"
    return "on validation" + (f" (no backtest: {chosen.note})" if chosen.note else "")


def _gain(gain: Gain | None, config: EvaluateConfig) -> str:
    if gain is None:
        return "none to state: it is a plain baseline itself, or there is none to compare with"
    level = f"{config.uncertainty.confidence_level:.0%}".replace("%", " %")
    return (
        f"{config.primary} {gain.difference:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] on test "
        f"over {gain.over} (warm, {gain.users:,} users, {level} interval)"
    )


def hits_of(gain: Gain, hits: Hits) -> str:
    """The gain in users who find something."""
    change = hits.shipped - hits.over
    return (
        f"of 100 users {hits.shipped:.0f} find something relevant among their {hits.k}, with "
        f"{gain.over} {hits.over:.0f}: {change:+.1f} [{hits.low:+.0f}, {hits.high:+.0f}]"
    )


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
