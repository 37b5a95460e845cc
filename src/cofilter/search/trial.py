"""One trial: fit on train, give up early when it does badly, score on validation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna

from cofilter.core.errors import CofilterError, DataError, DivergedError, Interrupted
from cofilter.recommender.iterative import RANKED
from cofilter.scoring.scores import score_target
from cofilter.search.job import Data, Job
from cofilter.search.space import merged, tree_of
from cofilter.tracking.tracker import Tracker
from cofilter.training.loop import Observer, Trainer

COMPLETE, PRUNED, FAIL = (
    optuna.trial.TrialState.COMPLETE,
    optuna.trial.TrialState.PRUNED,
    optuna.trial.TrialState.FAIL,
)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes
    ----------
    value:
        The metric on validation, of a complete trial.
    reason:
        Why there is none, of another.
    epochs:
        Best epoch; None for a model without epochs.
    """

    state: optuna.trial.TrialState
    value: float | None = None
    reason: str | None = None
    epochs: int | None = None


class Reporter:
    """Passes a training's epochs on to the tracker and to the pruner, which may end it.

    The epochs that a resumed training already had are judged again: nothing is pruned that was
    not, and a decision that a kill cut off is made up for.
    """

    def __init__(
        self, trial: optuna.Trial, observer: Observer, check: Callable[[], None], prunes: bool
    ) -> None:
        self.trial = trial
        self.observer = observer
        self.check = check
        self.prunes = prunes

    def start(self, run_id: str | None, history: list[dict[str, float]], phase: str) -> str:
        """Take over what an earlier process had."""
        found = self.observer.start(run_id, history, phase)
        for row in history:
            self._judge(row)
        return found

    def log_epoch(self, row: dict[str, float], phase: str) -> None:
        """Report one epoch; `optuna.TrialPruned` ends the trial, `check` may end the process."""
        self.observer.log_epoch(row, phase)
        self._judge(row)
        self.check()

    def _judge(self, row: dict[str, float]) -> None:
        epoch = int(row["epoch"])
        watched = next((row[name] for name in ("rmse", f"ndcg@{RANKED}") if name in row), None)
        if not self.prunes or watched is None:  # None: no validation row is warm
            return
        self.trial.report(watched, epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"worse than others in epoch {epoch}")


class Trials:
    """Runs the trials of one process.

    Parameters
    ----------
    check:
        Called after each epoch; raises `Interrupted` to stop.
    """

    def __init__(self, job: Job, data: Data, check: Callable[[], None]) -> None:
        self.job = job
        self.data = data
        self.check = check

    def run(self, trial: optuna.Trial, values: dict[str, Any]) -> Outcome:
        """Train and score one configuration; its checkpoints are gone afterwards.

        An error of the configuration, such as a learning rate that diverges, is an outcome.

        Raises
        ------
        Interrupted
            The trial is left as it is, with its checkpoints, for the next process.
        """
        job, tree = self.job, tree_of(values)
        family = job.config.family
        group = merged(job.run_config[family], tree)
        tracker = Tracker(
            job.tracking,
            root=job.root,
            group=job.study,
            job_type="search",
            name=f"{job.study}-{trial.number}",
            run_config={**job.run_config, family: group},
        )
        folder = job.checkpoints(values)
        with tracker:
            observer = Reporter(trial, tracker, self.check, job.config.pruner != "none")
            trainer = Trainer(
                job.checkpoint, folder, observer, f"{job.config.method} trial {trial.number}"
            )
            outcome, found = self._outcome(tree, trainer)
            verdict = {"trial": trial.number, "state": outcome.state.name.lower()}
            verdict |= {job.metric: outcome.value} if outcome.value is not None else {}
            verdict |= {"reason": outcome.reason} if outcome.reason else {}
            tracker.log_summary(found | verdict)
        shutil.rmtree(folder, ignore_errors=True)
        return outcome

    def _outcome(self, tree: dict[str, Any], trainer: Trainer) -> tuple[Outcome, dict[str, Any]]:
        """How the trial ended, and all its validation metrics."""
        try:
            return self._fit(tree, trainer)
        except optuna.TrialPruned as pruned:
            return Outcome(PRUNED, reason=str(pruned)), {}
        except Interrupted:
            raise
        except DivergedError as error:  # pruned, so that the sampler learns to keep away
            return Outcome(PRUNED, reason=str(error)), {}
        except CofilterError as error:
            return Outcome(FAIL, reason=str(error)), {}

    def _fit(self, tree: dict[str, Any], trainer: Trainer) -> tuple[Outcome, dict[str, Any]]:
        job, data = self.job, self.data
        model = job.make(tree).fit(data.train, data.validation, trainer)
        scores = score_target(model, data.target, job.evaluate).summary()
        value = scores["warm"][job.metric]
        if value is None:
            raise DataError(f"validation has no warm row to compute {job.metric} of")
        return Outcome(COMPLETE, value, epochs=getattr(model, "epochs_", None)), scores
