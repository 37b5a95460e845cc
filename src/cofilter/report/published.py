"""A published system's claims: as published, as reproduced, and the honest figure beside them.

``make claims`` prints ``results/reproduction.csv`` of this checkout, and below it what choosing on
test would promise of the sweep (``results/plots/selection_premium.csv``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cofilter.core import paths
from cofilter.core.errors import CofilterError, DataError
from cofilter.evaluation.files import LEADERBOARD, PREMIUM, REPRODUCTION
from cofilter.evaluation.leaderboard import FAMILY, POINT
from cofilter.evaluation.premium import CHOSEN_ON
from cofilter.evaluation.premium import COLUMNS as COLUMNS_OF_PREMIUM
from cofilter.report.conclusion import EVALUATE_FIRST, read_facts, refuse_other_data
from cofilter.report.terminal import read_leaderboard, terminal
from cofilter.reproduction.table import COLUMNS, OTHER_DATA

DIFFERENCE, HONEST = "difference", "honest"


def main(checkout: Path = Path()) -> int:
    """Print the claims under ``checkout``; the exit status, 1 when there is no table."""
    try:
        table = read_reproduction(checkout / paths.RESULTS / REPRODUCTION)
        board = checkout / paths.RESULTS / LEADERBOARD
        honest = read_leaderboard(board) if board.exists() else None
        premium = None
        if honest is not None:
            refuse_other_data(checkout, read_facts(checkout / paths.RESULTS))
            premium = read_premium(checkout / paths.RESULTS / PREMIUM)
    except CofilterError as error:
        Console(stderr=True).print(Text(str(error)), soft_wrap=True)
        return 1
    print_claims(claims(table, honest), terminal())
    if premium is not None:
        print_premium(premium, terminal())
    return 0


def read_premium(path: Path) -> pd.DataFrame:
    """Read ``selection_premium.csv``; a missing or broken file is a `DataError`."""
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values="")
    except FileNotFoundError:
        raise DataError(f"{path}: file not found; {EVALUATE_FIRST}") from None
    except ValueError as error:
        raise DataError(f"{path}: not readable as CSV ({error})") from None
    if list(table.columns) != COLUMNS_OF_PREMIUM:
        raise DataError(f"{path}: columns {', '.join(COLUMNS_OF_PREMIUM)} are expected")
    return table


def read_reproduction(path: Path) -> pd.DataFrame:
    """Read ``reproduction.csv``; a missing or broken file is a `DataError`."""
    try:
        table = pd.read_csv(
            path, keep_default_na=False, na_values={"published": "", "reproduced": ""}
        )
    except FileNotFoundError:
        raise DataError(f"{path}: file not found; run the stage reproduce first") from None
    except ValueError as error:
        raise DataError(f"{path}: not readable as CSV ({error})") from None
    if list(table.columns) != COLUMNS:
        raise DataError(f"{path}: columns {', '.join(COLUMNS)} are expected")
    return table.astype({"published": float, "reproduced": float})


def claims(reproduction: pd.DataFrame, leaderboard: pd.DataFrame | None) -> pd.DataFrame:
    """Each figure with its honest counterpart, in the order of the reproduction.

    Parameters
    ----------
    reproduction:
        As `read_reproduction` gives it.
    leaderboard:
        As `read_leaderboard` gives it, of the same experiment; None: no honest figures.

    Returns
    -------
    The table with two more columns. ``difference`` is reproduced − published where both are of
    one data set, otherwise missing: the comparison is open. ``honest`` is the leaderboard's figure
    of the row's model and column; missing where there is none.
    """
    table = reproduction.copy()
    comparable = ~table["note"].str.startswith(OTHER_DATA)
    table[DIFFERENCE] = (table["reproduced"] - table["published"]).where(comparable)
    table[HONEST] = [
        _counterpart(leaderboard, model, column)
        for model, column in zip(table["model"], table["column"], strict=True)
    ]
    return table


def by_claim(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each claim with its rows that were published or have an honest figure.

    Grids and curves that nobody published stay in the file; a claim that has nothing else keeps
    them.
    """
    for claim, rows in table.groupby("claim", sort=False):
        compared = rows[rows[["published", HONEST]].notna().any(axis=1)]
        yield str(claim), compared if len(compared) else rows


def _counterpart(leaderboard: pd.DataFrame | None, model: str, column: str) -> float:
    missing = float("nan")
    if leaderboard is None or not model or column not in leaderboard:
        return missing
    family, _, point = model.partition("/")
    rows = leaderboard[(leaderboard[FAMILY] == family) & (leaderboard[POINT] == point)]
    return float(rows[column].iloc[0]) if len(rows) else missing


def print_claims(table: pd.DataFrame, console: Console) -> None:
    """Print the claims, a block each."""
    if table.empty:
        console.print("nothing was reproduced: dvc exp run -S '+experiment=NAME'")
        return
    for claim, rows in by_claim(table):
        board = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=claim, title_justify="left")
        board.add_column("figure", overflow="fold")
        for name in ("metric", *_FIGURES):
            board.add_column(name, justify="right", no_wrap=True)
        board.add_column("note", overflow="fold")
        for row in rows.to_dict("records"):
            figures = [figure_text(row[name]) for name in _FIGURES]
            board.add_row(Text(row["what"]), row["metric"], *figures, Text(row["note"]))
        console.print(board)


def print_premium(table: pd.DataFrame, console: Console) -> None:
    """Print, for each metric, the point that test would choose beside validation's choice."""
    title = "selection premium: chosen on test less chosen on validation, test figures, warm"
    board = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    board.add_column("metric", no_wrap=True)
    for name in CHOSEN_ON:
        board.add_column(f"chosen on {name}", overflow="fold")
        board.add_column("figure", justify="right", no_wrap=True)
    for name in ("premium", "points", "users"):
        board.add_column(name, justify="right", no_wrap=True)
    for row in table.to_dict("records"):
        chosen = [
            cell
            for part in CHOSEN_ON
            for cell in (Text(row[f"chosen_on_{part}"]), f"{row[f'test_figure_{part}']:.4f}")
        ]
        ends = f" [{row['low']:+.3f}, {row['high']:+.3f}]" if pd.notna(row["low"]) else ""
        counts = f"{row['points']}", f"{row['users']:,}"
        board.add_row(row["metric"], *chosen, Text(f"{row['premium']:+.4f}{ends}"), *counts)
    if len(table):
        console.print(board)


_FIGURES = ("published", "reproduced", DIFFERENCE, HONEST)


def figure_text(value: float) -> str:
    """Four decimals, none for whole numbers; empty for a missing one."""
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4f}"


if __name__ == "__main__":
    sys.exit(main())
