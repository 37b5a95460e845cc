"""One job of a backtest: one method in one window, fitted and scored once, and kept."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cofilter.backtest.windows import Cut, Window
from cofilter.console import messages
from cofilter.core.errors import CofilterError, Interrupted
from cofilter.core.io import write_bytes, write_json
from cofilter.core.parts import Parts, content_hashes
from cofilter.core.paths import CHECKPOINTS, JOBS
from cofilter.metrics.rating import UserErrors
from cofilter.recommender.epochs import Row
from cofilter.scoring.scores import Ranked, ScopeScores, score_target
from cofilter.scoring.target import Target
from cofilter.training.checkpoint import CheckpointStore
from cofilter.training.code import PACKAGE, code_sha256
from cofilter.training.point import Point, train_point

SCORES, JOB = "scores.npz", "job.json"
_ERRORS = ("rows", "squared", "absolute")


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
        threshold: float | None,
        scale: tuple[float, float] | None = None,
    ) -> Prepared:
        """Rows rated at least ``threshold`` are relevant; ``scale``: that of the ratings."""
        parts = window.parts
        target = Target.of(parts.train, parts.validation, parts.test, threshold, scale)
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
            "score": self.point.score.model_dump(mode="json", include={"k", "relevance_threshold"}),
            "code": job_code(self.point.family),
        }

    def store(self, root: Path) -> CheckpointStore:
        """Where it is kept under a checkout: ``checkpoints/backtest/<fingerprint>/``."""
        return CheckpointStore(root / CHECKPOINTS, JOBS.name, self.identity())


def job_code(family: str) -> str:
    """Hash of the code that a job of a family runs."""
    return code_sha256(family, PACKAGE / "backtest")


def run_job(
    job: Job, parts: Callable[[], Parts], root: Path, check: Callable[[], None]
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

    Raises
    ------
    CofilterError
        Of the same class as the fit's own, naming the method and the window.
    """
    store = job.store(root)
    with store.locked():
        path = store.folder / SCORES
        found = _kept(path) if job.point.checkpoint.resume == "auto" else None
        if found is None:
            write_json(store.folder / JOB, store.identity)
            found = _scored(job, parts(), store.folder, check)
            write_bytes(path, to_bytes(found))
            shutil.rmtree(store.folder / job.point.family, ignore_errors=True)
        store.set_finished(True)
    return found


def is_kept(job: Job, root: Path) -> bool:
    """Whether an earlier process has finished the job."""
    return job.point.checkpoint.resume == "auto" and (job.store(root).folder / SCORES).is_file()


def to_bytes(scores: ScopeScores) -> bytes:
    """Scores as an ``.npz``; equal scores give equal bytes."""
    arrays = {"counts": np.array(json.dumps(scores.counts))}
    if scores.errors is not None:
        arrays |= {f"errors/{name}": getattr(scores.errors, name) for name in _ERRORS}
    if scores.ranked is not None:
        arrays |= {"user": scores.ranked.user, "n_relevant": scores.ranked.n_relevant}
        arrays |= {f"ranked/{name}": each for name, each in scores.ranked.values.items()}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return content.getvalue()


def from_file(path: Path) -> ScopeScores:
    """Read what `to_bytes` made."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    errors = ranked = None
    if "errors/rows" in arrays:
        errors = UserErrors(*(arrays[f"errors/{name}"] for name in _ERRORS))
    if "user" in arrays:
        values = {
            name.removeprefix("ranked/"): each
            for name, each in arrays.items()
            if name.startswith("ranked/")
        }
        ranked = Ranked(arrays["user"], arrays["n_relevant"], values)
    return ScopeScores(errors, ranked, json.loads(str(arrays["counts"])))


def _kept(path: Path) -> ScopeScores | None:
    try:
        return from_file(path)
    except FileNotFoundError:
        return None
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        messages.damaged_job(path, error)
        return None


def _scored(job: Job, parts: Parts, folder: Path, check: Callable[[], None]) -> ScopeScores:
    try:
        trained = train_point(job.point, parts, folder, _Checking(check))
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
