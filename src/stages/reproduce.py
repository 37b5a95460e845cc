"""Run a published system's own procedure and set its figures beside the published ones."""

from __future__ import annotations

from cofilter.core.columns import ITEM, TITLE
from cofilter.core.config import parse
from cofilter.core.io import read_table
from cofilter.core.paths import CHECKPOINTS, FILTERED, ITEMS, RESULTS
from cofilter.evaluation.files import REPRODUCTION
from cofilter.recommender.kernels.threads import set_threads
from cofilter.reproduction.config import ReproduceConfig
from cofilter.reproduction.lab import Lab
from cofilter.reproduction.procedures import procedure_of
from cofilter.reproduction.store import save_findings
from cofilter.reproduction.table import reproduction_table
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.tracker import Tracker, run_group
from stages.app import Run, stage
from stages.groups import checkpoint_config


@stage
def main(run: Run) -> None:
    """Config → ratings → procedure → table."""
    cfg = run.cfg
    config = parse(ReproduceConfig, cfg["reproduce"], "reproduce")
    procedure = procedure_of(config)
    tracking = parse(TrackingConfig, cfg["tracking"], "tracking")
    set_threads(cfg["threads"])

    def tracked(name: str) -> Tracker:
        group = run_group([str(config.system), cfg["data"]["name"]])
        return Tracker(
            tracking, root=run.root, group=group, job_type="reproduce", name=name, run_config=cfg
        )

    ratings, titles = read_table(FILTERED), read_table(ITEMS).set_index(ITEM)[TITLE]
    scale, keep = cfg["data"]["scale"], checkpoint_config(cfg)
    lab = Lab(ratings, titles, scale and tuple(scale), keep, run.root / CHECKPOINTS, tracked)
    findings = procedure(lab)
    table = reproduction_table(config, findings.figures, cfg["data"]["name"])
    save_findings(table, findings, run.out / RESULTS / REPRODUCTION)
    if config.system is not None:
        with tracked(f"{config.system}-figures") as summary:
            summary.log_table("reproduction", table)


if __name__ == "__main__":
    main()
