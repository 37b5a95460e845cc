"""What Hydra does at the end of a ``--multirun``: a table of its points (see conf/config.yaml)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from cofilter.report.multirun import Job, print_points
from cofilter.report.terminal import terminal

USER_ERROR = 2


class PointTable(Callback):
    """Prints what each job reached; a multirun with a failed job fails at its end."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Read the jobs' folders, whatever processes they ran in."""
        folders = [path.parent for path in Path(config.hydra.sweep.dir).glob("*/.hydra")]
        ordered = sorted(folders, key=lambda folder: (len(folder.name), folder.name))
        jobs = [Job.of(folder, _overrides(folder)) for folder in ordered]
        print_points(jobs, config.evaluate.primary, terminal())
        if any(job.error for job in jobs):
            sys.exit(USER_ERROR)


def _overrides(folder: Path) -> list[str]:
    text = (folder / ".hydra" / "overrides.yaml").read_text(encoding="utf-8")
    return [str(each) for each in yaml.safe_load(text)]
