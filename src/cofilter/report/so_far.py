"""What a run of the pipeline has trained so far, before there is a leaderboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from cofilter.core.io import read_json
from cofilter.report.trained import better_first, shown_metrics, warm_metric
from cofilter.scoring.folders import SELECTION

BEST = 10  # rows of a table, at most


class SoFar:
    """Prints the best points on validation each time that a batch of trainings is complete.

    Parameters
    ----------
    batches:
        Model folders in batches, each not empty.
    primary:
        The metric that orders the rows.
    """

    def __init__(self, batches: Iterable[Iterable[Path]], primary: str, console: Console) -> None:
        self._waiting = [set(batch) for batch in batches]
        self._n_points = sum(map(len, self._waiting))
        self._primary, self._console = primary, console
        self._found: dict[str, Mapping[str, Any]] = {}

    def add(self, folder: Path) -> None:
        """Read a training that has ended; there is no model where the data cannot train it."""
        if (folder / SELECTION).is_file():
            self._found["/".join(folder.parts[-2:])] = read_json(folder / SELECTION)
        for batch in self._waiting:
            batch.discard(folder)
        if len(left := [batch for batch in self._waiting if batch]) < len(self._waiting):
            self._waiting = left
            if left and self._found:  # after the last batch the leaderboard follows
                self._print(sum(map(len, left)))

    def _print(self, n_missing: int) -> None:
        n_trained = self._n_points - n_missing
        told = f"trained so far: {n_trained} of {self._n_points}; on validation, warm rows"
        shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        metrics = shown_metrics(self._primary)
        for heading in ("model", *metrics):
            shown.add_column(heading, justify="left" if heading == "model" else "right")
        order = better_first(self._primary)
        best = sorted(self._found.items(), key=lambda named: order(named[1]))
        for name, selection in best[:BEST]:
            values = [warm_metric(selection, metric) for metric in metrics]
            shown.add_row(name, *("" if value is None else f"{value:.4f}" for value in values))
        if len(best) > BEST:
            shown.add_row(f"… {len(best) - BEST} more")
        self._console.print(told)
        self._console.print(shown)
