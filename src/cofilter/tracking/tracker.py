"""One tracked run, which never stands in the training's way."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cofilter.core.errors import DataError
from cofilter.tracking import artifacts, lineage, process, records
from cofilter.tracking.beside import HURRY_SECONDS, EndsWithBlock
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.data import Data
from cofilter.tracking.going import hold

if TYPE_CHECKING:
    import pandas as pd  # half of its import time would be a run's whole start

log = logging.getLogger(__name__)

EPOCH = "epoch"
PHASES = ("fit", "refit")
T = TypeVar("T")


class Tracker(EndsWithBlock):
    """One run at Weights & Biases.

    The run begins at the first call that needs it and ends with the ``with`` block. Whatever
    fails at W&B (the library is absent, the server is slow or away, the disk is full) gives a
    warning and turns the tracker off: every method then does nothing. A server that cannot be
    reached at the start makes the run an offline one instead.

    Parameters
    ----------
    config:
        Mode, project, entity and time limits.
    root:
        The main checkout; all of W&B's files go to ``root``/logs.
    group, job_type, name:
        How the run is filed, for example the data's hash, ``train_mf`` and ``mf-dim50``.
    run_config:
        The resolved configuration as plain values.
    """

    def __init__(
        self,
        config: TrackingConfig,
        *,
        root: Path,
        group: str,
        job_type: str,
        name: str,
        run_config: Mapping[str, Any],
    ) -> None:
        self.config = config
        self.root = root
        self.described: dict[str, Any] = {
            "group": group,
            "job_type": job_type,
            "name": name,
            "config": dict(run_config),
        }
        self.run_id: str | None = None
        self.folder: Path | None = None  # of the run's files; `wandb sync` takes it
        self._prepared = False
        self._held: list[int] = []  # until the end: a run that is being written is not sent
        self._mode: process.LiveMode | None = None
        self._run: Any = None  # a wandb.Run while it lasts
        self._last_epoch: dict[str, float] = {}  # by phase
        self._defined: set[str] = set()  # metrics that have their axis

    def start(
        self,
        run_id: str | None = None,
        history: Sequence[Mapping[str, float]] = (),
        phase: str = "fit",
        new_id: str | None = None,
    ) -> str:
        """Start a run, or continue ``run_id``; a second call goes on in the run that there is.

        Rows of ``history`` that the run does not hold yet are logged: offline all of them, since
        there a continuation begins a folder of its own, online those that were never sent.

        Parameters
        ----------
        run_id:
            From the checkpoint; None begins a new run.
        history:
            The completed epochs' rows, in order.
        phase:
            ``fit`` or ``refit``: which training the rows belong to.
        new_id:
            Of a new run; None draws one.

        Returns
        -------
        str
            The run's id; there is one also when tracking is disabled or has failed.
        """
        if self.run_id is None:
            self.run_id = run_id or new_id or secrets.token_hex(5)
            self._open(self.run_id, resume=run_id is not None)
        for row in history:
            self.log_epoch(row, phase)
        return self.run_id

    def log_epoch(self, row: Mapping[str, float | None], phase: str = "fit") -> None:
        """Log a completed epoch, unless the run holds it already.

        Parameters
        ----------
        row:
            ``epoch`` (counted upwards) and any other numbers; None is left out.
        phase:
            Names of ``refit`` rows get the prefix ``refit/``, their epoch too.
        """
        epoch = row.get(EPOCH)
        if epoch is None:
            raise DataError(f"a history row has no {EPOCH!r}, only {', '.join(sorted(row))}")
        self.start()
        if epoch <= self._last_epoch.get(phase, float("-inf")):
            return
        self._last_epoch[phase] = epoch
        numbers = {_named(phase, key): value for key, value in row.items() if value is not None}
        new = [name for name in numbers if name not in self._defined]
        self._defined.update(new)
        axis = _named(phase, EPOCH)
        self._attempt("naming metrics", lambda run: records.define_metrics(run, new, axis))
        self._attempt("logging an epoch", lambda run: run.log(numbers))

    def log_summary(self, values: Mapping[str, Any]) -> None:
        """Set summary values, for example the validation metrics of the best epoch."""
        self.start()
        self._attempt("logging the summary", lambda run: run.summary.update(dict(values)))

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Log a table without its index, for example sample recommendations with titles."""
        self.start()
        self._attempt(f"logging {name}", lambda run: records.log_table(run, name, table))

    def log_artifact(
        self, name: str, type: str, path: Path, aliases: Sequence[str] = ("latest",)
    ) -> None:
        """Log a file or folder as an artifact, for example the best model.

        Parameters
        ----------
        name:
            Letters, digits, ``-``, ``_`` and ``.``; artifacts of one name are its versions.
        type:
            For example ``model`` or ``checkpoint``.
        """
        self.start()
        copy_below = self.config.copy_artifacts_mb * 1e6

        def log(run: Any) -> None:
            digest = artifacts.log_files(run, name, type, path, aliases, copy_below)
            self._keep("logged", Data(name, type, ()), digest)

        self._attempt(f"logging {name}", log)

    def log_data(self, data: Data) -> None:
        """Log data that the run has written, as an artifact that refers to them."""
        self.start()

        def log(run: Any) -> None:
            self._keep("logged", data._replace(entries=()), artifacts.log_data(run, data))

        self._attempt(f"logging {data.name}", log)

    def use_data(self, data: Data) -> None:
        """Note that the run has read these data; offline it is kept for `make sync`."""
        self._note("used", data, artifacts.use)

    def link_data(self, data: Data) -> None:
        """Link a model that a run has logged to the registry that the configuration names."""
        if (target := self.config.registry_target) is not None:
            self._note("linked", data, partial(artifacts.link, target=target), target)

    def log_chart(self, name: str, table: pd.DataFrame, chart: records.Chart) -> None:
        """Log a chart that W&B draws of a table's columns."""
        self.start()
        self._attempt(f"logging {name}", lambda run: records.log_chart(run, name, table, chart))

    def log_page(self, name: str, html: str) -> None:
        """Log an HTML page or fragment, for example a chart as SVG."""
        self.start()
        self._attempt(f"logging {name}", lambda run: records.log_page(run, name, html))

    def finish(self, exit_code: int = 0, hurry: bool = False) -> None:
        """End the run; without a run nothing happens.

        ``hurry`` gives up after `HURRY_SECONDS`; what was not sent by then stays in the logs.
        """
        run, finished = self._run, True
        if hurry and run is not None:
            finished = process.finish_in_time(run, exit_code, HURRY_SECONDS)
        else:
            self._attempt(
                "finishing the run", lambda run: process.finish(run, exit_code, self.root)
            )
            finished = self._run is run
        if not finished and self.folder is not None:
            log.warning("W&B: `wandb sync %s` sends what was not sent", self.folder)
        self._run = None
        while self._held:
            os.close(self._held.pop())

    def prepare(self) -> process.LiveMode | None:
        """Do all of a start that needs no run yet, once; gives the run's mode, None without one."""
        if not self._prepared and self.config.wanted_mode != "disabled":
            self._mode = self._guarded("preparing a run", self._made_ready)
        self._prepared = True
        return self._mode

    def _made_ready(self) -> process.LiveMode:
        mode = process.prepare(self.config, self.root)
        self._held = hold(self.root)
        process.start_service(self.config)
        return mode

    def _open(self, run_id: str, resume: bool) -> None:
        mode = self.prepare()
        if mode is None:
            return
        self._run = self._begin(mode, run_id, resume)
        if self._run is None and mode == "online":
            self._run = self._begin("offline", run_id, resume)
        self._attempt("reading the run", self._take_over)

    def _begin(self, mode: process.LiveMode, run_id: str, resume: bool) -> Any:
        def begin() -> Any:
            return process.open_run(self.config, mode, self.root, run_id, resume, self.described)

        return self._guarded(f"starting an {mode} run", begin)

    def _take_over(self, run: Any) -> None:
        """Note what the run holds already, from the server when it was resumed."""
        self.folder = Path(run.settings.sync_dir)
        sent = {phase: run.summary.get(_named(phase, EPOCH)) for phase in PHASES}
        self._last_epoch = {phase: epoch for phase, epoch in sent.items() if epoch is not None}

    def _attempt(self, action: str, act: Callable[[Any], object]) -> None:
        """Do something with the run, if there is one; after a failure there is none."""
        run = self._run
        if run is not None and self._guarded(action, lambda: (act(run),)) is None:
            self._run = None

    def _note(
        self, kind: lineage.Kind, data: Data, act: Callable[[Any, Data], object], target: str = ""
    ) -> None:
        """Tell the server what the run used or linked; keep what it cannot be told now."""
        self.start()
        run, action = self._run, f"noting that {data.name} is {kind}"
        if run is None:
            return
        if run.offline or not self._guarded(action, lambda: (act(run, data),), ends=False):
            digest = artifacts.draft(data).digest
            self._attempt(action, lambda _: self._keep(kind, data, digest, target or None))

    def _keep(self, kind: lineage.Kind, data: Data, digest: str, target: str | None = None) -> None:
        """Write down an edge, in an online run one that it could not tell the server."""
        if kind == "logged" and not self._run.offline:
            return
        edge = lineage.Edge(
            run=str(self.run_id),
            project=self.config.project,
            entity=self.config.entity,
            stage=self.described["job_type"],
            kind=kind,
            artifact=data.name,
            type=data.type,
            digest=digest,
            target=target,
            files=[list(entry) for entry in data.entries],
        )
        lineage.append(self.root / lineage.LINEAGE, edge)

    def _guarded(self, action: str, act: Callable[[], T], ends: bool = True) -> T | None:
        """The one place where W&B's failures end: a warning, and None instead of a result.

        With ``ends`` the service is let go, since the run is over.
        """
        try:
            return act()
        except Exception as error:  # noqa: BLE001
            # Everything, because wandb raises, besides its own Error, OSError and ImportError,
            # some ten direct subclasses of Exception, ValueError, TypeError and AssertionError.
            reason = str(error).strip().split("\n")[0]
            log.warning("W&B: %s failed (%s: %s)", action, type(error).__name__, reason)
            if ends:
                process.abandon()
            return None


def _named(phase: str, name: str) -> str:
    return name if phase == "fit" else f"{phase}/{name}"
