"""The tracked runs as a report at Weights & Biases, built from code.

wandb_workspaces is imported inside the functions: it costs two seconds and only this needs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cofilter.core.errors import TrackingError
from cofilter.core.io import write_json
from cofilter.core.paths import LOGS
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.process import prepare

SPEC = LOGS / "dashboard.json"
TITLE = "Which model to ship"
HALF, FULL, HIGH = 12, 24, 8  # panels' width and height on W&B's grid, which is 24 wide
LOGIN = "nobody is logged in to Weights & Biases: run `wandb login`, then `make dashboard` again"


def dashboard(
    config: TrackingConfig,
    *,
    group: str,
    families: Sequence[str],
    metrics: Sequence[str],
    entity: str = "",
) -> Any:
    """The report, not yet saved: a `wandb_workspaces.reports.v2.Report`.

    It shows the runs of one group, so of one data set and split, in four parts: the evaluate run's
    leaderboard and charts; validation metrics as parallel coordinates and bars; the learning
    curves of each family; all runs by stage.

    Parameters
    ----------
    group:
        Which runs, for example a hash of their data and split.
    families:
        Those with epochs, in the order of the page.
    metrics:
        Names of validation metrics, the primary first; a name such as ``ndcg@10`` is the summary's
        ``warm.ndcg@10``.
    entity:
        Whose project it is; "" leaves that open, which is enough to build the report.
    """
    import wandb_workspaces.reports.v2 as wr

    project = {"entity": entity, "project": config.project}
    primary = metrics[0]
    grids = [
        wr.H1("Leaderboard"),
        wr.P("Scored once on test. Charts of results/report.html stand beside it."),
        wr.PanelGrid(
            runsets=[_runs(project, "evaluate", group, ["evaluate"])],
            panels=[
                wr.WeavePanelSummaryTable(table_name="leaderboard", layout=_place(0, FULL)),
                wr.MediaBrowser(media_keys=_charts(primary), layout=_place(HIGH, FULL)),
            ],
        ),
        wr.H1("Validation"),
        wr.P("Warm users and items: what chose the model to ship. Seconds are of both fits."),
        wr.PanelGrid(
            runsets=[_runs(project, "trained models", group, [f"train_{f}" for f in families])],
            panels=[_coordinates(metrics), *_bars(metrics)],
        ),
    ]
    for family in families:
        grids += [wr.H2(f"Learning curves: {family}"), _curves(project, group, family, primary)]
    grouped = _runs(project, "runs by stage", group, [], groupby=["JobType"])
    bar = wr.BarPlot(
        title=f"{primary}, best of each stage",
        metrics=[wr.SummaryMetric(f"warm.{primary}")],
        groupby="JobType",
        groupby_aggfunc="min" if "@" not in primary else "max",
        layout=_place(0, FULL),
    )
    grids += [wr.H1("All runs by stage"), wr.PanelGrid(runsets=[grouped], panels=[bar])]
    return wr.Report(
        **project,
        title=TITLE,
        description=f"Runs of the group {group}: one data set and split.",
        blocks=[wr.TableOfContents(), *grids],
        width="fluid",
    )


def write_spec(report: Any, root: Path) -> Path:
    """Write what `save` would send to ``root``/logs/dashboard.json; gives its path."""
    target = root / SPEC
    model = report._to_model()
    write_json(target, json.loads(model.model_dump_json(by_alias=True, exclude_none=True)))
    return target


def publish(
    config: TrackingConfig,
    root: Path,
    *,
    group: str,
    families: Sequence[str],
    metrics: Sequence[str],
) -> str:
    """Write the report's spec, and save the report when somebody is logged in.

    Gives one line that says where the report is, or what is missing.

    Raises
    ------
    TrackingError
        The library is absent or refuses its settings, the server refuses the report or cannot be
        reached.
    """
    online = _asked("looking for a login", lambda: prepare(config, root)) == "online"
    entity = config.entity or (_default_entity() if online else "")
    report = dashboard(config, group=group, families=families, metrics=metrics, entity=entity)
    spec = write_spec(report, root)
    if not online:
        why = LOGIN if config.wanted_mode in ("auto", "online") else "tracking is not online"
        return f"no dashboard made, since {why}; its specification: {spec}"
    _asked("saving the report", report.save)
    return f"dashboard: {report.url}"


def _default_entity() -> str:
    import wandb

    return str(_asked("asking whose account this is", lambda: wandb.Api().default_entity))


def _asked(action: str, act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Exception as error:  # wandb raises anything (see the tracker); it is passed on as one
        reason = str(error).strip().split("\n")[0]
        raise TrackingError(f"W&B: {action} failed ({type(error).__name__}: {reason})") from error


def _runs(
    project: dict[str, str],
    name: str,
    group: str,
    job_types: Sequence[str],
    groupby: Sequence[str] = (),
) -> Any:
    """A run set: one group's runs, of these job types or, without any, of all."""
    import wandb_workspaces.reports.v2 as wr
    from wandb_workspaces import expr

    wanted = [expr.Metric("Group") == group]
    if job_types:
        wanted.append(expr.Metric("JobType").isin(list(job_types)))
    return wr.Runset(**project, name=name, filters=expr.And(*wanted), groupby=list(groupby))


def _coordinates(metrics: Sequence[str]) -> Any:
    import wandb_workspaces.reports.v2 as wr

    columns = [
        wr.ParallelCoordinatesPlotColumn(
            metric=wr.SummaryMetric(f"warm.{name}"), display_name=name, inverted="@" not in name
        )
        for name in metrics
    ]
    seconds = wr.ParallelCoordinatesPlotColumn(
        metric=wr.SummaryMetric("fit_seconds"), display_name="seconds of the first fit", log=True
    )
    return wr.ParallelCoordinatesPlot(
        title="Validation metrics and time; errors upside down, so that up is better",
        columns=[seconds, *columns],
        layout=_place(0, FULL),
    )


def _bars(metrics: Sequence[str]) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    return [
        wr.BarPlot(
            title=f"{name} on validation",
            metrics=[wr.SummaryMetric(f"warm.{name}")],
            max_runs_to_show=100,
            layout=_place(HIGH * (1 + at // 2), HALF, HALF * (at % 2)),
        )
        for at, name in enumerate(metrics)
    ]


def _curves(project: dict[str, str], group: str, family: str, primary: str) -> Any:
    import wandb_workspaces.reports.v2 as wr

    ranked = primary if "@" in primary else "ndcg@10"
    panels = [
        wr.LinePlot(
            title=title,
            x="epoch",
            y=names,
            log_y=log,
            max_runs_to_show=50,
            layout=_place(0, FULL // 3, FULL // 3 * at),
        )
        for at, (title, names, log) in enumerate(
            [
                ("Validation RMSE", ["rmse"], False),
                (f"Validation {ranked}", [ranked], False),
                ("Training loss", ["loss"], True),
            ]
        )
    ]
    return wr.PanelGrid(runsets=[_runs(project, family, group, [f"train_{family}"])], panels=panels)


def _charts(primary: str) -> list[str]:
    """Names under which the evaluate run logs the report's first charts."""
    metric = primary.replace("@", "-")
    return [f"{metric}-on-test", "rmse-on-test", f"differences-in-{metric}-from-the-best"]


def _place(y: int, wide: int, x: int = 0) -> Any:
    import wandb_workspaces.reports.v2 as wr

    return wr.Layout(x=x, y=y, w=wide, h=HIGH)
