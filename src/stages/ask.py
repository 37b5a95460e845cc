"""Ask a person for ratings and recommend, the person folded into a trained model."""

from __future__ import annotations

from pydantic import PositiveInt

from cofilter.config import Config, parse
from cofilter.evaluation.terminal import terminal
from cofilter.io import read_table
from cofilter.models.store import load
from cofilter.paths import ITEMS, MODELS
from cofilter.reproduction.dialogue import hold, listed
from cofilter.reproduction.person import Interview, best_for
from stages.app import Run, stage


class AskConfig(Config):
    """Group ``ask``: see its comments."""

    model: str
    movies: PositiveInt
    at_least: PositiveInt
    scale: tuple[float, float]
    k: PositiveInt


@stage
def main(run: Run) -> None:
    """Config → model → interview → list."""
    config = parse(AskConfig, run.cfg["ask"], "ask")
    model, items, console = load(run.root / MODELS / config.model), read_table(ITEMS), terminal()
    interview = Interview.about(model, items, config.movies, *config.scale, config.at_least)
    history = hold(interview, console)
    console.print(listed(best_for(model, history, items, config.k), "for you"))


if __name__ == "__main__":
    main()
