"""Send what offline runs left behind: the runs themselves, then what they used and linked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cofilter.core.errors import TrackingError
from cofilter.core.paths import LOGS
from cofilter.tracking import artifacts, lineage, process
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.going import ended
from cofilter.tracking.lineage import Edge
from cofilter.tracking.stale import unsent

LOGIN = "nobody is logged in to Weights & Biases: run `wandb login`, then `make sync` again"
GOING = "a stage still writes its tracked run: `make sync` again when it has ended"


def sync(config: TrackingConfig, root: Path) -> str:
    """Send all runs that were never sent, and tell the server their lineage.

    What was sent is not sent again: wandb marks a run's folder, and edges that the server knows
    stand in `lineage.SENT`. Gives one line that says what was sent, or what is missing.

    Raises
    ------
    TrackingError
        A run is still being written, or something could not be sent; the next call goes on there.
    """
    if not ended(root, 0):
        raise TrackingError(GOING)
    os.environ["WANDB_MODE"] = "online"  # else wandb finds nobody where runs are to be offline
    process.prepare(config, root)
    if not process.logged_in():
        return f"nothing sent, since {LOGIN}"
    folders = unsent(root / LOGS)
    _send(folders, config)
    edges = lineage.pending(root)
    failed = list(_replay(config, root, edges))
    if failed:
        raise TrackingError(
            f"W&B: {len(failed)} of {len(edges)} uses and links could not be told: {failed[0]}"
        )
    return f"sent: {len(folders)} runs, {len(edges)} uses and links of artifacts"


def _send(folders: Sequence[Path], config: TrackingConfig) -> None:
    """Have wandb send the folders."""
    if not folders:
        return
    whose = [] if config.entity is None else ["--entity", config.entity]
    command = [sys.executable, "-m", "wandb", "sync", *whose, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    left = [folder for folder in folders if not any(folder.glob("*.wandb.synced"))]
    if left:
        said = (done.stderr + done.stdout).strip().splitlines()
        reason = next((line for line in said if "rror" in line), said[-1] if said else "no word")
        raise TrackingError(f"W&B: {len(left)} of {len(folders)} runs were not sent: {reason}")


def _replay(config: TrackingConfig, root: Path, edges: Sequence[Edge]) -> Iterator[str]:
    """Tell the server each edge, and note it as sent; gives why others failed."""
    if not edges:
        return
    import wandb

    try:
        api = wandb.Api()
    except wandb.Error as error:
        raise TrackingError(f"W&B: the login is refused ({error})") from error
    for edge in edges:
        try:
            _tell(api, edge, config, root)
        except Exception as error:  # noqa: BLE001 - wandb raises anything, see the tracker
            reason = str(error).strip().split("\n")[0]
            yield f"{edge.artifact} {edge.kind} by {edge.stage} ({type(error).__name__}: {reason})"
        else:
            lineage.append(root / lineage.SENT, edge)


def _tell(api: Any, edge: Edge, config: TrackingConfig, root: Path) -> None:
    """Tell the server one edge; a used artifact that no run has logged is made of its reference."""
    project = f"{edge.entity or api.default_entity}/{edge.project}"
    name = f"{project}/{edge.artifact}:{artifacts.alias_of(edge.digest)}"
    if edge.target is not None:
        api.artifact(name, type=edge.type).link(edge.target)
        return
    run = api.run(f"{project}/{edge.run}")
    if api.artifact_exists(name, type=edge.type):
        run.use_artifact(api.artifact(name, type=edge.type))
    else:
        _use_in_run(edge, config, root, exit_code=int(run.state != "finished"))


def _use_in_run(edge: Edge, config: TrackingConfig, root: Path, exit_code: int) -> None:
    """Continue a sent run, since only a run can use an artifact that is not there yet."""
    whose = config.model_copy(update={"project": edge.project, "entity": edge.entity})
    run = process.open_run(whose, "online", root, edge.run, True, {})
    try:
        artifacts.use_draft(run, artifacts.draft(edge.data))
    finally:
        run.finish(exit_code)
