"""One job of a backtest: one method in one window, fitted and scored once, and kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofilter.backtest.kept import SCORES, kept_or_made
from cofilter.backtest.windows import Cut, Window
from cofilter.core.errors import CofilterError, Interrupted
from cofilter.core.parts import Parts, content_hashes
from cofilter.core.paths import CHECKPOINTS, JOBS
from cofilter.recommender.epochs import Row
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.folders import ENSEMBLE, SELECTION
from cofilter.scoring.scores import ScopeScores, score_target
from cofilter.scoring.target import Target
from cofilter.training.checkpoint import CheckpointStore
from cofilter.training.code import PACKAGE, code_sha256
from cofilter.training.point import Point, save_point, train_point


@dataclass(frozen=True)
class Prepared:
    """A window as all its methods see it, without the rows of its train.

    Attributes
    ----------
    audit:
        Of its parts.
    target:
        Its rows as what is to be predicted. As on test, warm is what the train part knows, and
        what the validation part holds is seen.
    """

    cut: Cut
    audit: dict[str, Any]
    target: Target

    @classmethod
    def of(
        cls,
        window: Window,
        score: ScoreConfig,
        scale: tuple[float, float] | None = None,
    ) -> Prepared:
        """``score`` says what is relevant and weighted; ``scale``: that of the ratings."""
        parts = window.parts
        target = Target.of(
            parts.train,
            parts.validation,
            parts.test,
            score.relevance_threshold,
            scale,
            weighted=score.weighted,
        )
        return cls(window.cut, window.audit, target)


@dataclass(frozen=True)
class Job:
    """A method in a window."""

    point: Point
    window: Prepared

    @property
    def name(self) -> str:
        """The method, ``family/point``."""
        return f"{self.point.family}/{self.point.name}"

    def identity(self) -> dict[str, Any]:
        """What the scores depend on: rows, hyper-parameters, procedure, code."""
        return {
            "method": self.name,
            "parts": content_hashes(self.window.audit),
            "config": self.point.make().config.model_dump(mode="json"),
            "refit": self.point.refit,
            "score": self.point.score.model_dump(
                mode="json", include=set(ScoreConfig.model_fields)
            ),
            "code": job_code(self.point.family),
        }

    @property
    def anew(self) -> bool:
        """Whether what earlier processes kept is ignored."""
        return self.point.checkpoint.resume == "never"

    def is_kept(self, root: Path) -> bool:
        """Whether an earlier process has finished the job."""
        return not self.anew and (self.store(root).folder / SCORES).is_file()

    def model_folder(self, root: Path) -> Path:
        """Where its model lies until the window's blend is done."""
        return self.store(root).folder / "model" / self.point.family / self.point.name

    def store(self, root: Path) -> CheckpointStore:
        """Where it is kept under a checkout: ``checkpoints/backtest/<fingerprint>/``."""
        return CheckpointStore(root / CHECKPOINTS, JOBS.name, self.identity())


def job_code(family: str) -> str:
    """Hash of the code that a job of a family runs."""
    blends = [PACKAGE / "blending"] if family == ENSEMBLE else []
    return code_sha256(family, PACKAGE / "backtest", *blends)


def run_job(
    job: Job,
    parts: Callable[[], Parts],
    root: Path,
    check: Callable[[], None],
    *,
    keep_model: bool = False,
) -> ScopeScores:
    """The window's warm scores of the method: as kept, or else fitted, scored and then kept.

    The procedure is that of a train stage (`train_point`): fitted on the window's train, the
    epochs chosen on the last part of it, and, with ``refit``, fitted again on all of it.

    Parameters
    ----------
    parts:
        Gives the window's parts; not called for a job that is kept.
    root:
        The checkout.
    check:
        Called between epochs; may raise `Interrupted`. The epochs' own checkpoints stay then, so
        that the job continues where it stopped.
    keep_model:
        Keep the model too, for the window's blend; what is kept without it is fitted again.

    Raises
    ------
    CofilterError
        Of the same class as the fit's own, naming the method and the window.
    """
    store, model = job.store(root), job.model_folder(root)
    lacks_model = keep_model and not (model / SELECTION).is_file()

    def make() -> ScopeScores:
        return _scored(job, parts(), store.folder, check, model if keep_model else None)

    found = kept_or_made(store, make, anew=job.anew or lacks_model)
    shutil.rmtree(store.folder / job.point.family, ignore_errors=True)  # the epochs' checkpoints
    return found


def _scored(
    job: Job, parts: Parts, folder: Path, check: Callable[[], None], model: Path | None
) -> ScopeScores:
    try:
        trained = train_point(job.point, parts, folder, _Checking(check))
        if model is not None:
            save_point(trained, model)
        return score_target(trained.model, job.window.target, job.point.score).warm
    except Interrupted:
        raise
    except CofilterError as error:
        place = f"{job.name} in window {job.window.cut.window} of the backtest"
        raise type(error)(f"{place}: {error}") from None


class _Checking:
    """An observer that only looks whether the process is to stop."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check

    def start(self, run_id: str | None, history: list[Row], phase: str) -> str:
        """A fit begins."""
        self.check()
        return run_id or ""

    def log_epoch(self, row: Row, phase: str) -> None:
        """An epoch has ended."""
        self.check()
