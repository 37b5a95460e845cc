"""``cofilter models``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cofilter.cli.options import json_option
from cofilter.cli.output import Row, show
from cofilter.core.io import read_json
from cofilter.core.paths import RESULTS
from cofilter.release.checkout import home
from cofilter.release.found import BEST, known_models, shipped
from cofilter.release.opened import read_card

LEADERBOARD = RESULTS / "leaderboard.csv"


@click.command("models")
@json_option
def command(as_json: bool) -> None:
    """List the trained models with their line of the leaderboard.

    The primary metric is that of warm test users, with its interval. `best` marks the model to
    ship. Of exported folders the figures come from their cards.
    """
    where = home()
    known = known_models(where)
    chosen = shipped(where)
    best = f"{chosen['family']}/{chosen['point']}" if chosen else None
    board = _board(where)
    rows: list[Row] = [
        {"model": name, "": BEST if name == best else "", "folder": _short(folder, where)}
        | (board.get(name) or _from_card(folder))
        for name, folder in known.items()
    ]
    rows.sort(key=lambda row: -(row["value"] or 0.0))
    show(rows, as_json, f"models in {where}")
    if not rows:
        click.echo(
            "there are none: `make repro` in a checkout, or go to a model's folder", err=True
        )


def _board(where: Path) -> dict[str, dict[str, Any]]:
    """Primary metric by model, in a checkout that was evaluated."""
    if not (where / LEADERBOARD).is_file() or not (where / RESULTS / "facts.json").is_file():
        return {}
    import pandas as pd

    primary = read_json(where / RESULTS / "facts.json")["evaluate"]["primary"]
    table = pd.read_csv(where / LEADERBOARD)
    figures = {"value": "", "low": "_low", "high": "_high"}
    found = {}
    for row in table.to_dict("records"):
        values = {end: row.get(f"warm_{primary}{suffix}") for end, suffix in figures.items()}
        known = {end: None if pd.isna(value) else value for end, value in values.items()}
        found[f"{row['family']}/{row['point']}"] = {"metric": primary, **known}
    return found


def _from_card(folder: Path) -> dict[str, Any]:
    empty = {"metric": None, "value": None, "low": None, "high": None}
    card = read_card(folder)
    if card is None or not card.get("metrics"):
        return empty
    name, figure = next(
        (each for each in card["metrics"]["model"].items() if each[0].startswith("ndcg")),
        next(iter(card["metrics"]["model"].items()), ("", {})),
    )
    return empty | {"metric": name, **figure}


def _short(folder: Path, where: Path) -> str:
    inside = folder.resolve().is_relative_to(where)
    return str(folder.resolve().relative_to(where)) if inside else str(folder)
