"""Tables on the terminal: the leaderboard after a run, the folds of a cross-validation.

``python -m cofilter.report.terminal`` prints ``results/leaderboard.csv`` of this checkout.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cofilter.core import paths
from cofilter.core.config import parse
from cofilter.core.errors import CofilterError, DataError
from cofilter.core.stale import Stale
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.files import LEADERBOARD, REPORT, RERANKING
from cofilter.evaluation.folds import ERRORS, FALLBACK, METHOD, RANKING_FALLBACK, ROWS
from cofilter.evaluation.leaderboard import (
    BEST_SET,
    DEVICE,
    ENGINE,
    EXPLAINED_COUNTS,
    FAMILY,
    HIGH,
    LOW,
    NOTES,
    POINT,
    RANK,
    SELECTED,
    TUNED,
    column,
    notes_in,
)
from cofilter.report.conclusion import (
    NOWHERE,
    left_out,
    print_conclusion,
    read_facts,
    refuse_other_data,
)
from cofilter.report.reranking import NO_SAY, reranked_rows
from cofilter.report.tables import read_csv
from cofilter.report.timings import read_timings

PIPE_WIDTH = 200  # where nothing wraps lines: files, pipes, CI logs
_NEEDED = 3  # columns that stay however narrow the terminal is
_NAMED = 4  # at most so many names in a line
_FOLDED = {FALLBACK: "rated by\nfallback", RANKING_FALLBACK: "ranked by\nfallback"}
_ALIKE = "≈"  # marks the best set


def main(checkout: Path = Path()) -> int:
    """Print the leaderboard under ``checkout``; the exit status, 1 when it has none of its data."""
    try:
        table = read_leaderboard(checkout / paths.RESULTS / LEADERBOARD)
        facts = read_facts(checkout / paths.RESULTS)
        refuse_other_data(checkout, facts)
        config = parse(EvaluateConfig, facts["evaluate"], "evaluate")
        reranked = read_csv(checkout / paths.RESULTS / RERANKING, needed=False)
        times = read_timings(paths.main_checkout(checkout) / paths.TIMINGS)
    except CofilterError as error:
        Console(stderr=True).print(Text(str(error)), soft_wrap=True)
        return 1
    console = terminal()
    print_leaderboard(table, times, console)
    print_reranked(reranked_rows(reranked, config), console)
    for line in left_out(facts):
        console.print(Text(line), soft_wrap=True)
    print_places(console)
    print_conclusion(facts, console)
    return 0


def terminal() -> Console:
    """A console on standard output, wide enough for whole rows when that is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def read_leaderboard(path: Path) -> pd.DataFrame:
    """Read ``leaderboard.csv``; points stay text. A missing or broken file is a `DataError`."""
    try:
        text = dict.fromkeys((FAMILY, POINT, NOTES), "str")
        whole = dict.fromkeys((RANK, *EXPLAINED_COUNTS), "Int64")
        table = pd.read_csv(path, dtype=text | whole, keep_default_na=False, na_values="")
    except FileNotFoundError:
        raise DataError(f"{path}: file not found; run the stage evaluate first") from None
    except ValueError as error:
        raise DataError(f"{path}: not readable as CSV ({error})") from None
    missing = [name for name in (RANK, SELECTED, FAMILY, POINT, NOTES) if name not in table.columns]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; this is no leaderboard")
    return table


def print_leaderboard(table: pd.DataFrame, times: dict[str, float], console: Console) -> None:
    """Print the leaderboard with its notes; on a narrow terminal the last columns are left out."""
    for note in notes_in(table):
        console.print(Text(f"! {note}", style="yellow"))
    console.print(_fitting(table, times, console))
    if BEST_SET in table.columns and table[BEST_SET].any():
        console.print(
            f"{_ALIKE} not told from the best: sign-flip test over users, Holm's correction"
        )
    if table[SELECTED].any():
        console.print("* the model to ship", style="bold")
    else:
        console.print(f"no model is selected: none has the primary metric {NOWHERE}")


def _fitting(table: pd.DataFrame, times: dict[str, float], console: Console) -> Table:
    """The board with as many columns as the console has room for, intervals given up last."""
    unbounded = console.options.update(max_width=PIPE_WIDTH * 10)
    for intervals in (True, False):
        rows = [
            _row(row, _primary(table), times, intervals=intervals)
            for row in table.to_dict("records")
        ]
        names = list(rows[0]) if rows else []
        for n_columns in range(len(names), _NEEDED - 1, -1):
            shown = _board(rows, names[:n_columns])
            if console.measure(shown, options=unbounded).maximum <= console.width:
                return shown
    return _board(rows, names[:_NEEDED])


def print_reranked(rows: Sequence[Mapping[str, str]], console: Console) -> None:
    """Print the model to ship re-ranked, under the leaderboard; nothing where it is not."""
    if len(rows) < 2:
        return
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        left = name == "model"
        shown.add_column(name, justify="left" if left else "right", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row.values()))
    console.print(Text("the model to ship, re-ranked"))
    console.print(shown)
    console.print(Text(NO_SAY, style="dim"))


def print_places(console: Console) -> None:
    """Tell where the results of a run lie."""
    for name, path in (
        ("report", paths.RESULTS / REPORT),
        ("leaderboard", paths.RESULTS / LEADERBOARD),
        ("models", paths.MODELS),
        ("run logs", paths.LOGS),
    ):
        console.print(f"{name + ':':<13}{path}", soft_wrap=True)


def print_folds(summary: pd.DataFrame, console: Console, k: int | None = None) -> None:
    """Print what `cofilter.evaluation.folds.summary` gives: mean ± sd over the folds.

    ``k``: the length of the lists whose NDCG and recall are shown; None: errors alone.
    """
    ranked = [] if k is None else [f"ndcg@{k}", f"recall@{k}"]
    metrics = [name for name in (*ranked, *ERRORS) if summary[name].notna().any()]
    shares = [name for name in (FALLBACK, RANKING_FALLBACK) if name in summary]
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("method", overflow="fold")
    headings = [name.upper() for name in metrics]
    for name in (*headings, "folds", "rows", *(_FOLDED[share] for share in shares)):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in summary.to_dict("records"):
        figures = [_spread(row[name], row[f"{name}_sd"]) for name in metrics]
        by_fallback = ["" if pd.isna(row[name]) else f"{row[name]:.2%}" for name in shares]
        rest = [str(row["folds"]), str(row[ROWS]), *by_fallback]
        shown.add_row(Text(row[METHOD]), *figures, *rest)
    console.print(shown)


def print_study(summary: str, configuration: str, path: Path, console: Console) -> None:
    """Print what a search found: its summary, the file that it wrote, and how to select that."""
    selected = f"{path}: selected by {path.parent.name}={path.stem}"
    for text in (summary, f"\n{configuration}", selected):
        console.print(Text(text))


def print_stale(found: Sequence[Stale], console: Console, *, dry_run: bool) -> None:
    """Print what is removed, with its size; many of one folder and reason in one line."""
    groups: dict[tuple[Path, str], list[Stale]] = {}
    for each in found:
        groups.setdefault((each.path.parent, each.why), []).append(each)
    for (folder, why), members in groups.items():
        names = ", ".join(each.path.name for each in members[:_NAMED])
        more = f", … {len(members)} in all" if len(members) > _NAMED else ""
        console.print(Text(f"{_size(members):>10}  {folder}/ {why}: {names}{more}"), soft_wrap=True)
    console.print(Text(f"{_size(found):>10}  {'would be removed' if dry_run else 'removed'}"))


def _size(found: Iterable[Stale]) -> str:
    return f"{sum(each.size for each in found) / 1e6:,.1f} MB"


def _primary(table: pd.DataFrame) -> str:
    named = [name for name in table.columns if name.startswith("validation_")]
    if not named:
        raise DataError("the leaderboard has no column validation_…; run the stage evaluate again")
    return named[0].removeprefix("validation_")


def _row(
    row: dict[Any, Any], primary: str, times: dict[str, float], *, intervals: bool
) -> dict[str, str]:
    """Cells by heading, the most telling first: the last are dropped where there is no room."""
    _, _, k = primary.partition("@")
    metrics = [primary, "rmse", "mae"]
    warm = list(dict.fromkeys([*metrics, *([f"recall@{k}", f"hit_rate@{k}"] if k else [])]))
    cells = {
        "#": "" if pd.isna(row[RANK]) else f"{row[RANK]} {_mark(row)}",
        "model": f"{row[FAMILY]}/{row[POINT]}" + (" *" if row[SELECTED] else ""),
    }
    for name in dict.fromkeys(metrics):
        cells[f"{name}\nwarm"] = _figure(row[column("warm", name)])
    if intervals:
        cells[f"{primary}\nwarm"] += _interval(row, column("warm", primary))
    for name in dict.fromkeys(metrics[:2]):
        cells[f"{name}\nall"] = _figure(row[column("all", name)])
    for name in warm:
        cells.setdefault(f"{name}\nwarm", _figure(row.get(column("warm", name))))
    tuned = row.get(TUNED)
    cells[TUNED] = "" if tuned is None or pd.isna(tuned) else tuned
    cells["trained\non"] = f"{row[ENGINE]}, {row[DEVICE]}"
    if times:
        seconds = times.get(f"{row[FAMILY]}-{row[POINT]}")
        cells["fit\nseconds"] = "" if seconds is None else f"{seconds:.1f}"
    return cells


def _board(rows: list[dict[str, str]], names: list[str]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        left = name in ("model", TUNED, "trained\non")
        shown.add_column(name, justify="left" if left else "right", overflow="fold")
    for row in rows:
        chosen = row["model"].endswith(" *")
        shown.add_row(*(Text(row[name]) for name in names), style="bold" if chosen else None)
    return shown


def _figure(value: float | None) -> str:
    return "" if value is None or pd.isna(value) else f"{value:.4f}"


def _mark(row: dict[Any, Any]) -> str:
    return _ALIKE if row.get(BEST_SET) is True else " "


def _interval(row: dict[Any, Any], name: str) -> str:
    """`` [0.13, 0.23]``; empty when the table has none."""
    low, high = row.get(f"{name}_{LOW}"), row.get(f"{name}_{HIGH}")
    return "" if low is None or pd.isna(low) else f" [{low:.2f}, {high:.2f}]"


def _spread(mean: float, sd: float) -> str:
    if pd.isna(mean):
        return ""
    return f"{mean:.4f}" if pd.isna(sd) else f"{mean:.4f} ± {sd:.4f}"


if __name__ == "__main__":
    sys.exit(main())
