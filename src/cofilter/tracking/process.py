"""The wandb library in this process: its folders, the start of a run and its end.

wandb is imported inside the functions: it costs half a second, may be absent, and a disabled
tracker needs none of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from cofilter.core.paths import LOGS
from cofilter.tracking.config import TrackingConfig

LiveMode = Literal["online", "offline"]
_QUIET = {
    "WANDB_SILENT": "true",
    "WANDB_ERROR_REPORTING": "false",  # crash reports to wandb's makers
}
PROBE_BYTES = 65536  # larger than what a file system keeps within its own records


def import_libraries(*, tables: bool) -> None:
    """Import what a run needs, ahead of a `prepare` that says what is absent."""
    os.environ |= _QUIET  # wandb looks at these while it is imported
    with contextlib.suppress(ImportError):
        import wandb  # noqa: F401

        if tables:
            import pandas  # noqa: F401 - by `wandb.Table`, at the first one


def prepare(config: TrackingConfig, root: Path) -> LiveMode:
    """Set wandb's folders for the rest of this process; gives the mode of a run to start.

    wandb's files stay inside the project and its console output is off. The settings and
    credentials that ``wandb login`` keeps in the home folder are read, never written. ``auto``
    looks for them on this machine only; it asks neither the user nor a server.

    Raises
    ------
    OSError
        The log folder cannot be written, where wandb would quietly move to a temporary one.
    """
    logs = root / LOGS
    logs.mkdir(parents=True, exist_ok=True)
    check_writable(logs)
    os.environ |= _QUIET | {
        "WANDB_DIR": str(logs),
        "WANDB_CACHE_DIR": str(logs / "wandb-cache"),
        "WANDB_DATA_DIR": str(logs / "wandb-data"),  # staged artifacts
        "WANDB_ARTIFACT_DIR": str(logs / "wandb-artifacts"),
    }
    if config.wanted_mode != "auto":
        return "online" if config.wanted_mode == "online" else "offline"
    return "online" if logged_in() else "offline"


def logged_in() -> bool:
    """Whether this machine has credentials for the server; asks neither the user nor the server."""
    import wandb  # only now, since it reads the environment that `prepare` sets

    return bool(wandb.login(prompt=False, verify=False))


def start_service(config: TrackingConfig) -> None:
    """Start the process that writes and sends for wandb; `open_run` would start it otherwise."""
    import wandb

    wandb.setup(wandb.Settings(x_service_wait=config.init_timeout))


def open_run(
    config: TrackingConfig,
    mode: LiveMode,
    root: Path,
    run_id: str,
    resume: bool,
    described: Mapping[str, Any],
) -> Any:
    """Start a run in ``root``/logs/wandb; ``described`` are arguments of ``wandb.init``."""
    import wandb

    settings = wandb.Settings(
        mode=mode,
        root_dir=str(root / LOGS),
        use_dot_wandb=False,  # otherwise a folder logs/.wandb would change the place
        reinit="create_new",  # somebody else's run in this process stays apart
        init_timeout=config.init_timeout,
        x_service_wait=config.init_timeout,
        finish_timeout=config.finish_timeout,
        finish_timeout_raises=True,
        silent=True,
        console="off",  # capturing it breaks progress bars
        save_code=False,
        disable_code=True,
        disable_job_creation=True,
        # Every run would ask for each of these anew, for a third of its start-up time; the
        # commit and the package versions are known to DVC and constraints.txt.
        disable_git=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_disable_stats=True,
        x_save_requirements=False,
        label_disable=True,
    )
    return wandb.init(
        project=config.project,
        entity=config.entity,
        id=run_id,
        resume="allow" if resume and mode == "online" else None,  # only a server can resume
        settings=settings,
        **described,
    )


def check_writable(folder: Path) -> None:
    """Write something to ``folder``, since wandb tells nobody when the disk is full.

    Raises
    ------
    OSError
        ``folder`` cannot be written or is full.
    """
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(PROBE_BYTES))


def finish(run: Any, exit_code: int, root: Path) -> None:
    """Finish ``run``; a `TimeoutError` says that not all was sent in time."""
    check_writable(root / LOGS)
    run.finish(exit_code)


def finish_in_time(run: Any, exit_code: int, seconds: float) -> bool:
    """Finish ``run`` unless that takes too long; whether it succeeded.

    After False wandb's service is let go; what was not sent stays in the run's folder.
    """
    if _within(seconds, lambda: run.finish(exit_code)):
        return True
    abandon()
    return False


def end_service(seconds: float) -> None:
    """Have wandb's service process write the last of its files and end; it may take that long."""
    wandb = sys.modules.get("wandb")
    if wandb is not None:
        _within(seconds, lambda: wandb.teardown())


def abandon(seconds: float = 0.3) -> None:
    """Let wandb's service process go, without waiting for its uploads or its answers.

    Otherwise wandb waits for it when this process exits, or prints a stack trace if it is dead.
    A living service ends by itself when it has finished or its parent is gone.
    """
    wandb = sys.modules.get("wandb")
    if wandb is not None:
        _within(seconds, lambda: wandb.teardown(1))


def _within(seconds: float, act: Callable[[], None]) -> bool:
    """Call ``act`` in a thread that may be left behind; whether it returned in time."""
    done = threading.Event()

    def call() -> None:
        try:
            act()
        except Exception:  # noqa: BLE001 - a dead service raises anything; the same as too late
            return
        done.set()

    thread = threading.Thread(target=call, daemon=True, name="wandb-end")
    thread.start()
    thread.join(seconds)
    return done.is_set()
