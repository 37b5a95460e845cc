"""Run a published system's own procedure and set its figures beside the published ones."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from functools import partial

from cofilter.core.columns import ITEM, PART, TITLE
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
from stages.app import Run, stage
from stages.groups import checkpoint_config
from stages.tracked import tracker_of, use


@stage
def main(run: Run) -> None:
    """Config → ratings → procedure → table."""
    cfg, config = run.cfg, parse(ReproduceConfig, run.cfg["reproduce"], "reproduce")
    procedure = procedure_of(config)
    tracked = partial(tracker_of, run, [str(config.system), cfg["data"]["name"]], "reproduce")
    set_threads(cfg["threads"])
    ratings = read_table(FILTERED).drop(columns=PART, errors="ignore")
    titles = read_table(ITEMS).set_index(ITEM)[TITLE]
    scale, keep = cfg["data"]["scale"], checkpoint_config(cfg)
    lab = Lab(ratings, titles, scale and tuple(scale), keep, run.root / CHECKPOINTS, tracked)
    findings = procedure(lab)
    table = reproduction_table(config, findings.figures, cfg["data"]["name"])
    save_findings(table, findings, run.out / RESULTS / REPRODUCTION)
    with tracked(f"{config.system}-figures" if config.system else "reproduce") as summary:
        use(summary, "ratings", "filtered")
        summary.log_summary({"system": config.system, "figures": len(table)})
        summary.log_table("reproduction", table)


if __name__ == "__main__":
    main()
