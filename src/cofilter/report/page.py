"""The report: one HTML file that shows the comparison, with nothing to fetch and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cofilter.core.config import parse
from cofilter.core.io import write_text
from cofilter.evaluation import files
from cofilter.evaluation.shipping import Shipped
from cofilter.metrics import beyond, ranking, rating
from cofilter.preparation.accounting import dropped_by_filter, filter_losses, losses, rows_lost
from cofilter.report.backtest import backtest_rows
from cofilter.report.board import main_board, ship, whole_board
from cofilter.report.charts.style import Figure
from cofilter.report.claims import (
    claim_rows,
    leak_rows,
    premium_rows,
    pruning_rows,
    reason_rows,
)
from cofilter.report.conclusion import folder_of, left_out, where_chosen
from cofilter.report.drawn_from import drawn_from
from cofilter.report.published import figure_text
from cofilter.report.reranking import NO_SAY, reranked_rows
from cofilter.report.results import Results, read_results
from cofilter.report.sections import Section, sections

PACKAGE, TEMPLATE, STYLE = "cofilter.report", "page.html.j2", "page.css.j2"


def write_report(results: Path, root: Path) -> list[Figure]:
    """Draw ``results``/report.html from the tables there and the logs under ``root``.

    Gives the figures in the page's order, for a tracked run. What `read_results` raises passes
    through, and then no page is written.
    """
    found = read_results(results, root)
    drawn = list(sections(found))
    write_text(results / files.REPORT, page(found, drawn, drawn_from(results, root)))
    return list(chain.from_iterable(section.figures for section in drawn))


def page(found: Results, drawn: Iterable[Section], source: str) -> str:
    """The page as text, marked with what it is drawn from. Names from the data are escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Callable[[Any], str]] = {
        "count": _count,
        "moment": _moment,
        "figure": lambda value: "–" if value is None else f"{value:.4f}",
        "day": _day,
        "exact": figure_text,
        "signed": lambda value: (
            "–" if value is None else f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")
        ),
        "short": lambda value: f"{value:.2f}",
        "tenth": lambda value: (
            "–" if value is None else f"{value:.1f}".replace("-", "\N{MINUS SIGN}")
        ),
    }
    environment.filters.update(filters)
    environment.globals["svg"] = lambda text: Markup(text)  # ours, not the data's
    facts = found.facts["shipped"]
    chosen = None if facts is None else parse(Shipped, facts, "shipped")
    audit, data, rules = (found.facts[name] for name in ("split", "source", "filter"))
    return environment.from_string(_read(TEMPLATE)).render(
        drawn_from=source,
        style=Markup(_read(STYLE)),
        config=found.config,
        notes=found.notes,
        left_out=left_out(found.facts),
        ship=ship(found.board, found.config),
        board=main_board(found.board, found.seconds, found.config),
        whole=whole_board(found.board, found.config),
        sections=list(drawn),
        chosen=where_chosen(chosen) if chosen else None,
        folder=folder_of(chosen) if chosen else None,
        gain=chosen.gain if chosen else None,
        trained=found.facts["trained"],
        examples=found.examples,
        rated=found.facts["feedback"] != "clicks",
        backtest=backtest_rows(found),
        no_backtest=(found.backtest or {}).get("reason"),
        reasons=reason_rows(found.board, found.representatives()),
        leaks=leak_rows(found.tables[files.LEAK]),
        claims=claim_rows(found.tables[files.REPRODUCTION], found.board),
        premium=premium_rows(found.tables[files.PREMIUM], found.config),
        reranked=reranked_rows(found.tables[files.RERANKING], found.config),
        no_say=NO_SAY,
        pruning=pruning_rows(
            found.tables[files.PRUNING], found.representatives(), found.config.primary
        ),
        audit=audit,
        losses=losses(audit),
        lost=rows_lost(audit),
        source=data,
        filtered=None if data is None else dropped_by_filter(data, audit),
        rules={} if rules is None else filter_losses(rules),
        environment=found.environment,
        definitions={**rating.DEFINITIONS, **_ranked_definitions()},
    )


def _read(name: str) -> str:
    return resources.files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _ranked_definitions() -> dict[str, str]:
    ranked = {**ranking.DEFINITIONS, **beyond.DEFINITIONS}
    at_k = {f"{name}@k": text for name, text in ranked.items()}
    further = {
        beyond.CONSUMED: beyond.CONSUMED_DEFINITION,
        f"{beyond.MISCALIBRATION}@k": beyond.MISCALIBRATION_DEFINITION,
    }
    return at_k | further


def _count(value: int | None) -> str:
    """12345 → "12 345", with a narrow space that does not break."""
    return "–" if value is None else f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _moment(seconds: int | None) -> str:
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
