"""The blend of a window's methods: one more job, after theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofilter.backtest.job import Job, job_code
from cofilter.backtest.kept import SCORES, kept_or_made
from cofilter.blending.blend import learn_blend
from cofilter.blending.weights import BlendConfig
from cofilter.core.parts import Parts
from cofilter.core.paths import CHECKPOINTS, JOBS
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.config import PrimaryConfig
from cofilter.scoring.folders import BLEND, ENSEMBLE, ModelFolder, expected_folders
from cofilter.scoring.scores import ScopeScores, score_target
from cofilter.training.checkpoint import CheckpointStore


@dataclass(frozen=True)
class Blending:
    """How a window's methods are blended: as the stage blend does it with the sweep's.

    Attributes
    ----------
    primary:
        What members and weights are chosen by.
    shared:
        Scale and biases that all models have.
    """

    config: BlendConfig
    primary: PrimaryConfig
    shared: ModelConfig


@dataclass(frozen=True)
class BlendJob:
    """The blend of all of a window's methods, ``ensemble/blend``.

    Its weights are learned from what the methods answered on the last part of the window's train.
    It stands for the sweep's blend, which has more members: the other points of the same methods,
    and those that take no part in the backtest.
    """

    members: Sequence[Job]
    blending: Blending

    name = f"{ENSEMBLE}/{BLEND}"

    def identity(self) -> dict[str, Any]:
        """What the scores depend on."""
        blending = self.blending
        return {
            "method": self.name,
            "members": [job.identity() for job in self.members],
            "config": blending.config.model_dump(mode="json"),
            "primary": blending.primary.primary,
            "shared": blending.shared.model_dump(mode="json"),
            "code": job_code(ENSEMBLE),
        }

    def store(self, root: Path) -> CheckpointStore:
        """As that of a method's job."""
        return CheckpointStore(root / CHECKPOINTS, JOBS.name, self.identity())

    def is_kept(self, root: Path) -> bool:
        """Whether an earlier process has finished the job."""
        return not self.members[0].anew and (self.store(root).folder / SCORES).is_file()


def run_blend(job: BlendJob, parts: Callable[[], Parts], root: Path) -> ScopeScores:
    """The window's warm scores of the blend: as kept, or else learned from the members' models.

    The models have been kept by their jobs, and go when the blend is done.
    """

    def make() -> ScopeScores:
        folders = [_folder(member, root) for member in job.members]
        blending = job.blending
        blend = learn_blend(folders, parts(), blending.config, blending.primary, blending.shared)
        target = job.members[0].window.target
        return score_target(blend.ensemble, target, blending.primary).warm

    found = kept_or_made(job.store(root), make, anew=not job.is_kept(root))
    for member in job.members:
        shutil.rmtree(member.model_folder(root), ignore_errors=True)
    return found


def _folder(job: Job, root: Path) -> ModelFolder:
    models = job.model_folder(root).parents[1]
    return expected_folders(models, [(job.point.family, job.point.name)])[0]
