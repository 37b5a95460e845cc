"""The study: an Optuna study in SQLite that any number of runs and processes go on with.

Trials are drawn by TPE (Bergstra et al. 2011). The sampler is seeded anew for each trial, by the
search's seed and the trial's place, so that what is drawn depends on the trials before it and not
on the process: a search that was killed goes on as if it had not been.

Optuna's own way with trials of dead processes is a heartbeat, which takes a trial for dead some
time after its last beat, and a living one too that was paused. Here a lock is held by each living
process, so that after the last has died all running trials are known to be orphans. They are
marked failed, and copies of them are tried again.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import IO, Any

import filelock
import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from cofilter.core.errors import ConfigError
from cofilter.core.io import json_sha256
from cofilter.search.job import Job
from cofilter.search.trial import FAIL, Outcome

log = logging.getLogger(__name__)

NOTHING: Mapping[str, Any] = MappingProxyType({})
IDENTITY, VALUES, REASON, EPOCHS = "identity", "values", "reason", "epochs"  # attributes
AS_IT_IS = "as it is"  # a trial that changes nothing: what of it the sampler is told, by path
LOST, AGAIN, ATTEMPT, KILLED = "lost", "again", "attempt", "killed"
ATTEMPTS = 3  # of a trial whose process dies
LOCKED_SECONDS = 120  # to wait for SQLite
HALVING = 3  # of so many trials one goes on at each rung


class SearchStudy:
    """One process's hold of a study.

    Parameters
    ----------
    fingerprint:
        Of the ratings; a study of others is refused.
    settled:
        What the data make of the configuration as it is, by the space's paths: where it lies in
        the space, the sampler learns from the first trial.

    Raises
    ------
    ConfigError
        The study is there and was begun for something else.
    """

    def __init__(self, job: Job, fingerprint: str, settled: Mapping[str, Any] = NOTHING) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        job.folder.mkdir(parents=True, exist_ok=True)
        self.job = job
        self.storage = RDBStorage(
            f"sqlite:///{job.database}",
            engine_kwargs={"connect_args": {"timeout": LOCKED_SECONDS}},
        )
        with self._claiming():
            self.study = optuna.create_study(
                storage=self.storage,
                study_name=job.study,
                direction=job.direction,
                pruner=pruner_of(job),
                load_if_exists=True,
            )
            self._identify(_identity(job, fingerprint), settled)

    def _identify(self, identity: dict[str, Any], settled: Mapping[str, Any]) -> None:
        known = self.study.user_attrs.get(IDENTITY)
        if known is None:
            self.study.set_user_attr(IDENTITY, identity)
            if self._holds(self.job.present):
                self.study.enqueue_trial(dict(self.job.present))
            else:  # such as null, what suits the data: no point of the space, but a trial
                drawn = dict(settled) if self._holds(settled) else {}
                self.study.enqueue_trial(drawn, user_attrs={AS_IT_IS: list(drawn)})
        elif known != identity:
            other = [name for name in identity if known.get(name) != identity[name]]
            raise ConfigError(
                f"the study {self.job.study} was begun with other {', '.join(other)}; remove "
                f"{self.job.database} to begin anew (a search can name another: search.study)"
            )

    def _holds(self, values: Mapping[str, Any]) -> bool:
        return all(
            path in values and dimension.holds(values[path])
            for path, dimension in self.job.space.items()
        )

    def trials(self) -> list[FrozenTrial]:
        """Every trial in order, except those tried again since their process died."""
        trials = self.study.get_trials(deepcopy=False)
        return [trial for trial in trials if LOST not in trial.user_attrs]

    def claim(self) -> tuple[optuna.Trial, dict[str, Any]] | None:
        """The next trial and its values; None when all have begun.

        The first one has the values of the configuration as it is; where one of them lies outside
        of the space it has none, which changes nothing.
        """
        with self._claiming():
            trials = self.trials()
            waiting = any(trial.state == TrialState.WAITING for trial in trials)
            if not waiting and self._spent(trials):
                return None
            self.study.sampler = sampler_of(self.job, len(trials))
            trial = self.study.ask()
            drawn = trial.user_attrs.get(AS_IT_IS, self.job.space)
            values = {path: self.job.space[path].suggest(trial, path) for path in drawn}
            if AS_IT_IS in trial.user_attrs:
                values = {}
            trial.set_user_attr(VALUES, values)
            return trial, values

    def repeated(self, values: dict[str, Any]) -> Outcome | None:
        """How an earlier trial with the same values ended, since a second one ends so too."""
        for trial in self.trials():
            if trial.user_attrs.get(VALUES) == values and trial.state == TrialState.COMPLETE:
                return Outcome(trial.state, trial.value, epochs=trial.user_attrs.get(EPOCHS))
        return None

    def finish(self, trial: optuna.Trial, outcome: Outcome) -> None:
        """Record how a trial ended."""
        if outcome.reason is not None:
            trial.set_user_attr(REASON, outcome.reason)
        if outcome.epochs is not None:
            trial.set_user_attr(EPOCHS, outcome.epochs)
        self.study.tell(trial, outcome.value, outcome.state)

    def take_back(self) -> None:
        """Have the trials of dead processes tried again; no other process may be alive."""
        trials = self.study.get_trials(deepcopy=False)
        copied = {trial.user_attrs.get(AGAIN) for trial in trials}
        for trial in trials:
            if trial.state != TrialState.RUNNING:
                continue
            log.info("trial %d: its process is gone; it is tried again", trial.number)
            attempt = trial.user_attrs.get(ATTEMPT, 1)
            if attempt >= ATTEMPTS:
                reason = f"its process was killed {attempt} times"
                self.storage.set_trial_user_attr(trial._trial_id, REASON, reason)
                self.storage.set_trial_user_attr(trial._trial_id, KILLED, True)
            else:
                # One killed while it was drawn has no values: the next is drawn in its place.
                if VALUES in trial.user_attrs and trial.number not in copied:
                    self.study.add_trial(_again(trial, attempt + 1))
                self.storage.set_trial_user_attr(trial._trial_id, LOST, True)
            self.study.tell(trial.number, state=FAIL)

    def best(self) -> FrozenTrial | None:
        """The first of the best complete trials."""
        done = [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]
        sign = 1 if self.job.direction == "minimize" else -1
        return min(done, key=lambda trial: sign * float(trial.value or 0.0), default=None)

    @property
    def seconds(self) -> float:
        """What the trials that have ended took together."""
        return _seconds(self.trials())

    def _spent(self, trials: list[FrozenTrial]) -> bool:
        """Whether no further trial may begin."""
        config = self.job.config
        if config.n_trials is not None:
            return len(trials) >= config.n_trials
        assert config.seconds is not None  # the configuration has one of them
        return _seconds(trials) >= config.seconds

    def _claiming(self) -> filelock.FileLock:
        """Held while a trial is drawn, so that no two processes draw the last one."""
        return filelock.FileLock(self.job.folder / f"{self.job.study}.claim")


def _seconds(trials: list[FrozenTrial]) -> float:
    """Of a killed trial nobody knows: what Optuna notes ends when it was found."""
    ended = [trial for trial in trials if KILLED not in trial.user_attrs]
    return sum(trial.duration.total_seconds() for trial in ended if trial.duration)


def pruner_of(job: Job) -> optuna.pruners.BasePruner:
    """The pruner that the configuration names."""
    config = job.config
    if config.pruner == "median":
        return optuna.pruners.MedianPruner(config.startup_trials, config.warmup_epochs)
    if config.pruner == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(config.warmup_epochs, HALVING)
    return optuna.pruners.NopPruner()


def sampler_of(job: Job, place: int) -> optuna.samplers.BaseSampler:
    """The sampler of the trial at a place, the same in whatever process."""
    seed = int(json_sha256([job.config.seed, place])[:8], 16)
    return optuna.samplers.TPESampler(n_startup_trials=job.config.startup_trials, seed=seed)


def _identity(job: Job, fingerprint: str) -> dict[str, Any]:
    """What a study's trials have in common; runs of one study may differ in all else."""
    config = job.config
    return {
        "method": config.method,
        "metric": job.metric,
        "seed": config.seed,
        "pruner": [config.pruner, config.startup_trials, config.warmup_epochs],
        "space": {path: dimension.model_dump(mode="json") for path, dimension in job.space.items()},
        "configuration": job.make({}).config.model_dump(mode="json"),
        "data": fingerprint,
    } | {"evaluate": job.evaluate.model_dump(mode="json")}


def _again(trial: FrozenTrial, attempt: int) -> FrozenTrial:
    return optuna.create_trial(
        state=TrialState.WAITING,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={**trial.user_attrs, AGAIN: trial.number, ATTEMPT: attempt},
    )


@contextlib.contextmanager
def only_run(job: Job) -> Iterator[None]:
    """Held by the main process of a search; a second search of the study waits here."""
    job.folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(job.folder / f"{job.study}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        log.warning("another process searches %s; waiting for it", job.study)
        lock.acquire()
    try:
        with _living(job) as living:  # workers whose main process was killed soon notice and end
            fcntl.flock(living, fcntl.LOCK_EX)
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def worker_lives(job: Job) -> Iterator[None]:
    """Held by each worker process."""
    with _living(job) as living:
        fcntl.flock(living, fcntl.LOCK_SH)
        yield


def _living(job: Job) -> IO[bytes]:
    return (job.folder / f"{job.study}.workers").open("ab")
