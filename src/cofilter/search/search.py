"""Runs a search to its end, in this process or in several."""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import numba
from optuna.trial import FrozenTrial

from cofilter.core.errors import CofilterError, DataError, Interrupted
from cofilter.search.job import Data, Job
from cofilter.search.report import chosen, table, value_before
from cofilter.search.study import VALUES, SearchStudy, only_run, worker_lives
from cofilter.search.trial import Outcome, Trials
from cofilter.tracking.tracker import Tracker
from cofilter.training.interruption import stop_on_signals
from cofilter.training.unfit import unfit_reason

log = logging.getLogger(__name__)


class SearchError(CofilterError):
    """A search has ended without what it was to find."""


def search(job: Job, data: Data) -> SearchStudy:
    """Run trials until the budget is spent; gives the study, with at least one complete.

    Raises
    ------
    DataError
        These data cannot train the method.
    Interrupted
        SIGTERM or SIGINT came; run again to go on from there.
    SearchError
        A worker died, or no trial is complete.
    """
    reason = unfit_reason(job.make({}), data.feedback, timed=data.timed)
    if reason is not None:
        raise DataError(f"search.method: {job.config.method}: {reason}")
    with only_run(job):
        study = SearchStudy(job, data.fingerprint, settled_values(job, data))
        study.take_back()
        if job.config.workers == 1:
            with stop_on_signals() as stop:
                run_trials(job, data, study, stop.check)
        else:
            run_workers(job)
        if study.best() is None:
            last = study.trials()[-1]
            raise SearchError(
                f"none of {len(study.trials())} trials is complete; the last: "
                f"{last.user_attrs.get('reason')}"
            )
        shutil.rmtree(job.checkpoints({}).parent, ignore_errors=True)
        track(study)
        return study


def track(study: SearchStudy) -> None:
    """A tracked run of the study as a whole, in the group of its trials' runs."""
    job, best = study.job, chosen(study)
    tracker = Tracker(
        job.tracking,
        root=job.root,
        group=job.study,
        job_type="study",
        name=job.study,
        run_config=job.run_config,
    )
    with tracker:
        tracker.log_table("trials", table(study))
        figures = {job.metric: best.value, f"{job.metric} before": value_before(study)}
        tracker.log_summary(
            {"best": best.user_attrs[VALUES], "trial": best.number, "trials": len(study.trials())}
            | figures
        )


def settled_values(job: Job, data: Data) -> dict[str, Any]:
    """The present values by path, those that are left to the data as these decide them."""
    config = job.make({}).settled_config(data.train)
    return {path: getattr(config, path.rpartition(".")[2], None) for path in job.space}


def run_trials(job: Job, data: Data, study: SearchStudy, check: Callable[[], None]) -> None:
    """Run trials in this process until all have begun; ``check`` raises `Interrupted` to stop."""
    trials = Trials(job, data, check)
    while True:
        check()
        claimed = study.claim()
        if claimed is None:
            return
        trial, values = claimed
        outcome = study.repeated(values) or trials.run(trial, values)
        study.finish(trial, outcome)
        log.info("%s", _line(job, trial.number, outcome, study.best()))


def _line(job: Job, number: int, outcome: Outcome, best: FrozenTrial | None) -> str:
    ended = f"{job.metric} {outcome.value:.4f}" if outcome.value is not None else outcome.reason
    note = f"; best {best.value:.4f} in trial {best.number}" if best is not None else ""
    return f"trial {number}: {ended}{note}"


def run_workers(job: Job) -> None:
    """Run trials in ``workers`` processes, which share the kernels' threads."""
    context = multiprocessing.get_context("spawn")  # a fork would copy threads that hold locks
    workers: list[BaseProcess] = [
        context.Process(target=work, args=(job,), name=f"worker {number}")
        for number in range(job.config.workers)
    ]
    with stop_on_signals() as stop:
        for worker in workers:
            worker.start()
        while running := [worker for worker in workers if worker.is_alive()]:
            wait([worker.sentinel for worker in running], timeout=0.2)
            if stop.signal_number is not None:
                for worker in running:
                    worker.terminate()
                for worker in workers:
                    worker.join()
                stop.check()
    died = [worker for worker in workers if worker.exitcode]
    if died:
        note = ", ".join(f"{worker.name} with exit code {worker.exitcode}" for worker in died)
        raise SearchError(f"ended before the search did: {note}. Run again to go on")


def work(job: Job) -> None:
    """What a worker process does; it ends when its main process is gone."""
    logging.basicConfig(level=logging.INFO, format="%(processName)s: %(message)s")
    numba.set_num_threads(max(1, min(job.threads // job.config.workers, numba.get_num_threads())))
    try:
        with worker_lives(job), stop_on_signals() as stop:

            def check() -> None:
                stop.check()
                parent = multiprocessing.parent_process()
                if parent is not None and not parent.is_alive():
                    raise Interrupted(signal.SIGTERM, "the main process of the search is gone")

            check()
            data = Data.load(job.root / job.config.split, job.evaluate, job.scale)
            run_trials(job, data, SearchStudy(job, data.fingerprint), check)
    except Interrupted as interrupted:
        log.info("%s", interrupted)
        raise SystemExit(128 + interrupted.signal_number) from None
    except CofilterError as error:
        log.error("%s", error)
        raise SystemExit(1) from None
