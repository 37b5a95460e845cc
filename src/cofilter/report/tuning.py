"""What a tuning found, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cofilter.evaluation.tuning import TUNED
from cofilter.search.report import target
from cofilter.search.study import SearchStudy
from cofilter.search.tune import record_of


def print_tuned(studies: Sequence[SearchStudy], console: Console) -> None:
    """Print a row a method, where the values are, and how to take them all."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("method", overflow="fold")
    for name in ("budget", "trials", "complete", "seconds", "metric", "before", "best"):
        shown.add_column(name, justify="right", no_wrap=True)
    for record in map(record_of, studies):
        before = "" if record.before is None else f"{record.before:.4f}"
        counts = str(record.trials), str(record.complete), f"{record.seconds:.1f}"
        figures = record.metric, before, f"{record.value:.4f}"
        shown.add_row(Text(record.method), record.budget, *counts, *figures)
    console.print(shown)
    chosen = dict.fromkeys((study.job.config.family, target(study.job).stem) for study in studies)
    overrides = " ".join(f"-S {family}={name}" for family, name in chosen)
    console.print(Text(f"how each was tuned: {TUNED}"), soft_wrap=True)
    console.print(Text(f"to take them all: dvc exp run {overrides}"), soft_wrap=True)
