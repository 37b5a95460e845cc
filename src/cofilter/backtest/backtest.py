"""Every method in every window, one job after the other, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from cofilter.backtest.blend import BlendJob, run_blend
from cofilter.backtest.job import Job, Prepared, run_job
from cofilter.backtest.request import Request
from cofilter.backtest.tables import (
    OF_POOLED,
    OF_WINDOW,
    PAIRS,
    WINDOWS_IN_BEST_SET,
    Scored,
    columns,
    facts_of,
    pooled_table,
    window_table,
)
from cofilter.backtest.windows import REMEDY, cut_window, window_cuts
from cofilter.console import messages
from cofilter.core.columns import TIMESTAMP
from cofilter.core.errors import DataError, Interrupted
from cofilter.core.io import write_json, write_text
from cofilter.core.parts import Parts
from cofilter.evaluation.backtested import METHOD
from cofilter.evaluation.files import BACKTEST, BACKTEST_FACTS, BACKTEST_POOLED
from cofilter.evaluation.leaderboard import with_ends
from cofilter.preparation.instants import moment
from cofilter.scoring.config import lower_is_better
from cofilter.scoring.scores import ScopeScores
from cofilter.training.interruption import stop_on_signals


@dataclass(frozen=True)
class Backtest:
    """What a backtest found: `window_table` of all windows, `pooled_table` and `facts_of`."""

    by_window: pd.DataFrame
    pooled: pd.DataFrame
    facts: dict[str, Any]


def backtest(request: Request, root: Path) -> Backtest:
    """Fit and score every method in every window; where there can be none, say why.

    One job after the other; a job that an earlier process finished is read back, so that a
    backtest that was stopped, by whatever signal, goes on from there to the same bytes.

    Parameters
    ----------
    root:
        The checkout; jobs are kept under ``checkpoints/backtest/``.

    Raises
    ------
    Interrupted
        SIGTERM or SIGINT came; finished jobs are kept.
    DataError
        A window holds no rows, or no user whom the primary metric could be of.
    """
    if request.test is None or request.reason is not None:
        messages.no_backtest(str(request.reason))
        return _nothing(request)
    windows = _prepared(request, request.test)
    scored = _run(request, windows, root)
    by_window = pd.concat(
        [
            window_table(window, each, request.evaluate)
            for window, each in zip(windows, scored, strict=True)
        ],
        ignore_index=True,
    )
    pooled = pooled_table(windows, scored, by_window, request.evaluate)
    facts = facts_of(windows, by_window, pooled, request.evaluate.primary)
    return Backtest(by_window, pooled, facts)


def save_backtest(found: Backtest, results: Path) -> None:
    """Write ``backtest.csv``, ``backtest_pooled.csv`` and, last, ``backtest.json``."""
    for name, table in ((BACKTEST, found.by_window), (BACKTEST_POOLED, found.pooled)):
        write_text(results / name, table.to_csv(index=False, lineterminator="\n"))
    write_json(results / BACKTEST_FACTS, found.facts)


def summary(pooled: pd.DataFrame, primary: str) -> pd.DataFrame:
    """The few columns of `pooled_table` that say who is ahead; of no backtest no rows."""
    return pooled[[METHOD, PAIRS, *with_ends(primary), WINDOWS_IN_BEST_SET]].dropna(
        subset=[primary]
    )


def _prepared(request: Request, test: int) -> list[Prepared]:
    """All windows without their rows, of which each has as many as the log; nothing is fitted."""
    found = []
    times = request.known[TIMESTAMP].to_numpy()
    for cut in window_cuts(times, test, request.split, request.config):
        window = cut_window(request.known, cut, request.split)
        prepared = Prepared.of(window, request.evaluate, request.scale)
        _refuse_unscorable(prepared, request)
        found.append(prepared)
    return found


def _jobs(request: Request, window: Prepared) -> list[Job | BlendJob]:
    members = [Job(point, window) for point in request.points]
    blend = [] if request.blending is None else [BlendJob(members, request.blending)]
    return [*members, *blend]


def _run(request: Request, windows: Sequence[Prepared], root: Path) -> list[Scored]:
    """Scores of each window by method."""
    jobs = [_jobs(request, window) for window in windows]
    done = sum(job.is_kept(root) for window in jobs for job in window)
    total = sum(map(len, jobs))
    messages.jobs_done_before(done, total)
    scored: list[Scored] = []
    with (
        stop_on_signals() as stop,
        tqdm(total=total, desc="backtest", unit="job", disable=None) as bar,
    ):
        for window, prepared in zip(jobs, windows, strict=True):
            parts = cache(partial(_parts, request, prepared))
            keep_models = not all(job.is_kept(root) for job in window if isinstance(job, BlendJob))
            found: dict[str, ScopeScores] = {}
            scored.append(found)
            for job in window:
                bar.set_postfix_str(f"window {prepared.cut.window}, {job.name}")
                try:
                    stop.check()
                    found[job.name] = (
                        run_blend(job, parts, root)
                        if isinstance(job, BlendJob)
                        else run_job(job, parts, root, stop.check, keep_model=keep_models)
                    )
                except Interrupted as interrupted:
                    raise Interrupted(
                        interrupted.signal_number,
                        f"{interrupted}; {sum(map(len, scored))} of the backtest's {total} jobs "
                        "are finished, run again to continue",
                    ) from None
                bar.update()
    return scored


def _parts(request: Request, window: Prepared) -> Parts:
    return cut_window(request.known, window.cut, request.split).parts


def _refuse_unscorable(window: Prepared, request: Request) -> None:
    rankings = not lower_is_better(request.evaluate.primary)
    target, cut = window.target, window.cut
    if target.evaluable_warm_users if rankings else target.warm_rows.any():
        return
    lacking = "a relevant item that it knows" if rankings else "a rating of an item that it knows"
    raise DataError(
        f"window {cut.window} of {request.config.windows} (from {moment(cut.begin)} to "
        f"{moment(cut.end)}) cannot be backtested by {request.evaluate.primary}: of its "
        f"{len(target)} rows none is of a user that its train knows with {lacking}; {REMEDY}"
    )


def _nothing(request: Request) -> Backtest:
    """Tables of the header alone, and the reason."""
    by_window = pd.DataFrame(columns=columns(OF_WINDOW, request.evaluate))
    pooled = pd.DataFrame(columns=columns(OF_POOLED, request.evaluate))
    return Backtest(by_window, pooled, {"reason": request.reason})
