"""The report: one HTML file that shows the comparison, with nothing to fetch and no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cofilter.evaluation.charts import Figure
from cofilter.evaluation.leaderboard import (
    DEVICE,
    ENGINE,
    FAMILY,
    POINT,
    RANK,
    SELECTED,
    column,
    validation_column,
)
from cofilter.evaluation.scoring import SCOPES, EvaluateConfig, lower_is_better, metric_names
from cofilter.metrics import ranking, rating

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Cell:
    """One figure of the table; ``best`` of its column is set in bold."""

    text: str
    best: bool


def report(
    table: pd.DataFrame,
    figures: Sequence[Figure],
    audit: Mapping[str, Any],
    notes: Sequence[str],
    config: EvaluateConfig,
) -> str:
    """Render the report.

    Everything in it follows from the arguments, so equal results give an equal page. All names
    from the data are escaped.

    Parameters
    ----------
    table:
        What `cofilter.evaluation.leaderboard.leaderboard` gives.
    figures:
        What `cofilter.evaluation.charts.figures` gives.
    audit:
        The split's audit.
    """
    source = resources.files("cofilter.evaluation").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["count"] = _count
    environment.filters["moment"] = _moment
    shown = shown_metrics(config)
    names = {scope: list(metric_names(config)) for scope in SCOPES}
    charts = [
        {
            "title": figure.title,
            "caption": figure.caption,
            "svg": {name: Markup(svg) for name, svg in figure.svg.items()},  # ours, not the data's
        }
        for figure in figures
    ]
    return environment.from_string(source).render(
        primary=config.primary,
        shown=shown,
        scopes=SCOPES,
        rows=_rows(table, shown),
        names=names,
        everything=_rows(table, names),
        ship=_ship(table, config),
        notes=notes,
        charts=charts,
        audit=audit,
        definitions={**rating.DEFINITIONS, **_ranked_definitions()},
        config=config,
    )


def shown_metrics(config: EvaluateConfig) -> dict[str, list[str]]:
    """The metrics of a table that fits a screen, by scope; the others stand in a second one.

    Warm: the primary, those at its k, RMSE and MAE. All: the primary, recall, RMSE and MAE.
    """
    _, _, k = config.primary.partition("@")
    at = int(k) if k else config.k[0]
    ranked = [f"{name}@{at}" for name in ("ndcg", "recall", "precision", "map", "mrr", "hit_rate")]
    warm = list(dict.fromkeys([config.primary, *ranked, "rmse", "mae"]))
    few = {config.primary, f"recall@{at}", "rmse", "mae"}
    return {"warm": warm, "all": [name for name in warm if name in few]}


def _rows(table: pd.DataFrame, names: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    cells = {
        column(scope, name): _cells(table[column(scope, name)], lower_is_better(name))
        for scope in SCOPES
        for name in names[scope]
    }
    return [
        {
            "rank": "–" if pd.isna(row[RANK]) else row[RANK],
            "model": f"{row[FAMILY]}/{row[POINT]}",
            "engine": f"{row[ENGINE]}, {row[DEVICE]}",
            "selected": row[SELECTED],
            "cells": {
                scope: [cells[column(scope, name)][at] for name in names[scope]] for scope in SCOPES
            },
        }
        for at, row in enumerate(table.to_dict("records"))
    ]


def _cells(values: pd.Series, lower: bool) -> list[Cell]:
    best = values.min() if lower else values.max()
    return [
        Cell("–", False) if pd.isna(value) else Cell(f"{value:.4f}", bool(value == best))
        for value in values
    ]


def _ship(table: pd.DataFrame, config: EvaluateConfig) -> dict[str, Any] | None:
    chosen = table[table[SELECTED]]
    if chosen.empty:
        return None
    row = chosen.iloc[0]
    figures = {
        "on validation, warm": row[validation_column(config)],
        "on test, warm": row[column("warm", config.primary)],
        "on test, all rows": row[column("all", config.primary)],
    }
    told = {name: "–" if pd.isna(value) else f"{value:.4f}" for name, value in figures.items()}
    warm, everybody = row[column("warm", "ranked_users")], row[column("all", "ranked_users")]
    return {
        "model": f"{row[FAMILY]}/{row[POINT]}",
        "figures": told,
        "warm_users": "–" if pd.isna(warm) else _count(warm),
        "all_users": "–" if pd.isna(everybody) else _count(everybody),
    }


def _ranked_definitions() -> dict[str, str]:
    return {f"{name}@k": text for name, text in ranking.DEFINITIONS.items()}


def _count(value: int | None) -> str:
    """12345 → "12 345", with a narrow space that does not break."""
    return "–" if value is None else f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _moment(seconds: int | None) -> str:
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
