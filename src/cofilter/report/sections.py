"""The parts of the page, with their charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cofilter.evaluation import files
from cofilter.report.charts.backtest import backtests
from cofilter.report.charts.catalogue import beyond_accuracy, item_maps
from cofilter.report.charts.comparison import comparisons
from cofilter.report.charts.errors import bands, calibration, cold_start
from cofilter.report.charts.leak import leaks
from cofilter.report.charts.reranking import reranking
from cofilter.report.charts.style import Figure
from cofilter.report.charts.training import costs, learning
from cofilter.report.results import Results


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    key:
        Its name in links.
    nav, title:
        What the index and the heading call it.
    absent:
        Files that would be shown here and are not there, or hold no rows.
    """

    key: str
    nav: str
    title: str
    figures: Sequence[Figure] = ()
    absent: Sequence[str] = ()


def sections(found: Results) -> Iterator[Section]:
    """The page's parts in order; each draws its charts when it is asked for."""
    config, tables, board = found.config, found.tables, found.board
    primary, few = config.primary, found.representatives()

    def absent(*names: str) -> list[str]:
        return [name for name in names if tables[name].empty]

    yield Section("short", "In short", "In short")
    drawn = list(comparisons(board, primary))
    yield Section("leaderboard", "Leaderboard", "Leaderboard", drawn)
    by_window, pooled = tables[files.BACKTEST], tables[files.BACKTEST_POOLED]
    drawn = list(backtests(by_window, pooled, primary))
    missing = [] if found.backtest else [files.BACKTEST]
    yield Section("backtest", "Backtest", "Other cut dates: the backtest", drawn, missing)
    drawn = list(costs(board, tables[files.RMSE_BY_DIM], found.seconds, primary))
    yield Section("cost", "Size and time", "What size and training time buy", drawn)
    drawn = list(learning(tables[files.LEARNING_CURVES]))
    yield Section("learning", "Learning", "Learning curves", drawn)
    drawn = [*calibration(tables[files.CALIBRATION], few), *bands(tables[files.BANDS], few)]
    missing = absent(files.CALIBRATION, files.BANDS)
    yield Section("errors", "Errors", "Where the errors are", drawn, missing)
    drawn = list(cold_start(tables[files.COLD_START], few, primary))
    missing = absent(files.COLD_START)
    yield Section("cold", "Cold start", "New users", drawn, missing)
    drawn = list(beyond_accuracy(board, few, primary))
    drawn += reranking(tables[files.RERANKING], config)
    drawn += item_maps(tables[files.SIMILARITY], tables[files.FACTORS])
    missing = absent(files.SIMILARITY, files.FACTORS)
    yield Section(
        "catalogue", "Catalogue", "Catalogue, popularity, and what is alike", drawn, missing
    )
    explained = "explained_users" in board and board["explained_users"].notna().any()
    missing = [] if explained else ["explained_users of the leaderboard"]
    yield Section("reasons", "Reasons", "Whether reasons are true", absent=missing)
    yield Section("leak", "Leak", "No leak", list(leaks(tables[files.LEAK])), absent(files.LEAK))
    yield Section("claims", "Claims", "Published claims")
    yield Section("terms", "Definitions", "Definitions")
    yield Section("origin", "Data and machine", "Data and machine")
