"""The points of a multirun beside each other, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cofilter.core.io import read_json
from cofilter.core.paths import JOB_ERROR, MODELS
from cofilter.report.trained import better_first, shown_metrics, warm_metric
from cofilter.scoring.folders import SELECTION


@dataclass(frozen=True)
class Job:
    """One job of a multirun.

    Attributes
    ----------
    overrides:
        Its ``key=value``, as on the command line.
    selection:
        What its train stage wrote beside the model; None when it trained none.
    error:
        Why it failed.
    """

    overrides: Sequence[str]
    selection: Mapping[str, Any] | None
    error: str | None

    @classmethod
    def of(cls, folder: Path, overrides: Sequence[str]) -> Job:
        """Read the folder of a job that has ended."""
        error = folder / JOB_ERROR
        found = sorted((folder / MODELS).glob(f"*/*/{SELECTION}"))
        return cls(
            overrides,
            read_json(found[0]) if found else None,
            error.read_text(encoding="utf-8") if error.is_file() else None,
        )

    def metric(self, name: str) -> float | None:
        """A metric on warm validation rows; None where there is none."""
        return None if self.selection is None else warm_metric(self.selection, name)


def print_points(jobs: Sequence[Job], primary: str, console: Console) -> None:
    """Print a row a job: what tells it from the others, its point and its validation metrics.

    Nothing is printed when no job trained a model and none failed.
    """
    if not any(job.selection or job.error for job in jobs):
        return
    common = set.intersection(*(set(job.overrides) for job in jobs))
    metrics = shown_metrics(primary)
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="on validation, warm rows")
    for heading in ("job", "point", *metrics, "epochs"):
        shown.add_column(heading, justify="left" if heading in ("job", "point") else "right")
    order = better_first(primary)
    for job in sorted(jobs, key=lambda job: order(job.selection)):
        name = " ".join(each for each in job.overrides if each not in common)
        if job.selection is None:
            shown.add_row(Text(name), Text(job.error or "trained no model"))
            continue
        point = f"{job.selection['family']}/{job.selection['point']}"
        values = [job.metric(metric) for metric in metrics]
        figures = ["" if value is None else f"{value:.4f}" for value in values]
        epochs = job.selection["epochs"]
        shown.add_row(Text(name), point, *figures, "" if epochs is None else str(epochs))
    console.print(shown)
