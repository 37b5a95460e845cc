"""What the report is made of: the tables under ``results/`` and what ``logs/`` tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.config import parse
from cofilter.core.io import read_json
from cofilter.core.paths import TIMINGS
from cofilter.evaluation import files
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import FAMILY, POINT, notes_in, validation_column
from cofilter.evaluation.plots import MODEL, kind_of
from cofilter.report.conclusion import read_facts
from cofilter.report.environment import ENVIRONMENT
from cofilter.report.published import read_reproduction
from cofilter.report.tables import read_csv
from cofilter.report.terminal import read_leaderboard
from cofilter.report.timings import read_timings
from cofilter.scoring.config import lower_is_better

# Written by every evaluation; the others may be absent.
ALWAYS = (files.LEARNING_CURVES, files.RMSE_BY_DIM)
PERHAPS = (
    files.SIMILARITY,
    files.FACTORS,
    files.BANDS,
    files.CALIBRATION,
    files.COLD_START,
    files.PREMIUM,
    files.PRUNING,
    files.RERANKING,
    files.LEAK,
    files.BACKTEST,
    files.BACKTEST_POOLED,
)


@dataclass(frozen=True)
class Results:
    """Everything that the report shows.

    Attributes
    ----------
    board:
        The leaderboard, with a column ``model``: family/point.
    tables:
        The other tables by file name; empty where there is no such file.
    facts:
        ``evaluate`` (its configuration), ``split`` (the audit), ``source`` (null when not known).
    config:
        ``facts["evaluate"]``, typed.
    seconds:
        Seconds of training by model name; empty when nothing was timed here.
    environment:
        Where the models were scored; None when it was not logged here.
    backtest:
        Its facts, such as the windows or why there are none; None when there is no such file.
    examples:
        Users with their lists, as `cofilter.evaluation.examples.examples` tells them.
    """

    board: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    facts: dict[str, Any]
    config: EvaluateConfig
    seconds: pd.Series
    environment: dict[str, Any] | None
    backtest: dict[str, Any] | None = None
    examples: Sequence[Mapping[str, Any]] = ()

    @property
    def notes(self) -> list[str]:
        """Warnings that head the leaderboard."""
        return notes_in(self.board)

    def representatives(self) -> list[str]:
        """Of each kind the point that validation prefers, in the leaderboard's order."""
        chosen = validation_column(self.config)
        ordered = self.board.sort_values(
            chosen, ascending=lower_is_better(self.config.primary), kind="stable"
        )
        first = ordered.groupby(ordered[MODEL].map(kind_of), sort=False)[MODEL].first()
        wanted = set(first)
        return [name for name in self.board[MODEL] if name in wanted]


def read_results(results: Path, root: Path) -> Results:
    """Read ``results``, and the logs under the checkout ``root``.

    Raises
    ------
    DataError
        There is no leaderboard, or a file is not readable.
    ConfigError
        The facts are of another version's evaluation.
    """
    board = read_leaderboard(results / files.LEADERBOARD)
    board = pd.concat([(board[FAMILY] + "/" + board[POINT]).rename(MODEL), board], axis=1).copy()
    facts = read_facts(results)
    tables = {name: read_csv(results / name, needed=True) for name in ALWAYS}
    tables |= {name: read_csv(results / name, needed=False) for name in PERHAPS}
    published = results / files.REPRODUCTION
    tables[files.REPRODUCTION] = (
        read_reproduction(published) if published.exists() else pd.DataFrame()
    )
    timed = read_timings(root / TIMINGS)
    stems = board[FAMILY] + "-" + board[POINT]
    seconds = pd.Series([timed.get(stem) for stem in stems], board[MODEL], dtype="float64")
    log, backtest = root / ENVIRONMENT, results / files.BACKTEST_FACTS
    return Results(
        board,
        tables,
        facts,
        parse(EvaluateConfig, facts["evaluate"], "evaluate"),
        seconds.dropna(),
        read_json(log) if log.is_file() else None,
        read_json(backtest) if backtest.is_file() else None,
        read_json(results / files.EXAMPLES),
    )
