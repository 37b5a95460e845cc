"""Ask a person for ratings and recommend, the person folded into a trained model."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.config import parse
from cofilter.core.io import read_table
from cofilter.core.paths import ITEMS, MODELS
from cofilter.interview.config import AskConfig
from cofilter.interview.dialogue import hold, listed
from cofilter.interview.person import Interview, best_for
from cofilter.recommender.store import load
from cofilter.report.terminal import terminal
from stages.app import Run, app


@app("ask")
def main(run: Run) -> None:
    """Config → model → interview → list."""
    config = parse(AskConfig, run.cfg["ask"], "ask")
    model, items, console = load(run.root / MODELS / config.model), read_table(ITEMS), terminal()
    interview = Interview.about(model, items, config.movies, *config.scale, config.at_least)
    history = hold(interview, console)
    console.print(listed(best_for(model, history, items, config.k), "for you"))


if __name__ == "__main__":
    main()
