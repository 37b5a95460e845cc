"""Score every model that the sweep names on test, once, and write results/ and draw the report."""

from __future__ import annotations

from cofilter.columns import ITEM, TITLE
from cofilter.config import parse
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.environment import ENVIRONMENT, environment
from cofilter.evaluation.evaluate import evaluate
from cofilter.evaluation.report.page import write_report
from cofilter.io import read_json, read_table, write_json
from cofilter.paths import BLENDED, ITEMS, MODELS, RESULTS, SOURCE, SPLIT
from cofilter.preparation.parts import AUDIT, content_hashes, load_parts
from cofilter.preparation.split import SplitConfig
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.tracker import Tracker, run_group
from stages.app import Run, stage
from stages.points import expected_points
from stages.threads import set_threads


@stage
def main(run: Run) -> None:
    """Config → split and models → evaluate → draw and track."""
    set_threads(run.cfg["threads"])
    config = parse(EvaluateConfig, run.cfg["evaluate"], "evaluate")
    split = parse(SplitConfig, run.cfg["split"], "split")
    parts, audit = load_parts(SPLIT), read_json(SPLIT / AUDIT)
    tracking = parse(TrackingConfig, run.cfg["tracking"], "tracking")
    results, points = run.out / RESULTS, expected_points(run.cfg)
    titles = read_table(ITEMS).set_index(ITEM)[TITLE]
    with Tracker(
        tracking,
        root=run.root,
        group=run_group(content_hashes(audit)),
        job_type="evaluate",
        name="evaluate",
        run_config=run.cfg,
    ) as tracker:
        tracker.start()
        found = evaluate(
            parts,
            audit,
            split,
            points,
            MODELS,
            results,
            config,
            titles,
            read_json(SOURCE),
            BLENDED,
        )
        write_json(run.root / ENVIRONMENT, environment())
        tracker.log_table("leaderboard", found.leaderboard)
        for figure in write_report(results, run.root):
            tracker.log_page(figure.slug, figure.html())


if __name__ == "__main__":
    main()
