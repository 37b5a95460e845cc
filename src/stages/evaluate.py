"""Score every model that the sweep names on test, once, and write results/."""

from __future__ import annotations

from cofilter.config import parse
from cofilter.evaluation.evaluate import evaluate
from cofilter.evaluation.scoring import EvaluateConfig
from cofilter.io import read_json
from cofilter.paths import MODELS, RESULTS, SPLIT
from cofilter.preparation.parts import AUDIT, content_hashes, load_parts
from cofilter.preparation.split import SplitConfig
from cofilter.tracking.config import TrackingConfig
from cofilter.tracking.tracker import Tracker, run_group
from stages.app import Run, stage
from stages.points import expected_points
from stages.threads import set_threads


@stage
def main(run: Run) -> None:
    """Config → split and models → evaluate → track."""
    set_threads(run.cfg["threads"])
    config = parse(EvaluateConfig, run.cfg["evaluate"], "evaluate")
    split = parse(SplitConfig, run.cfg["split"], "split")
    parts, audit = load_parts(SPLIT), read_json(SPLIT / AUDIT)
    tracking = parse(TrackingConfig, run.cfg["tracking"], "tracking")
    results = run.out / RESULTS
    with Tracker(
        tracking,
        root=run.root,
        group=run_group(content_hashes(audit)),
        job_type="evaluate",
        name="evaluate",
        run_config=run.cfg,
    ) as tracker:
        tracker.start()
        found = evaluate(parts, audit, split, expected_points(run.cfg), MODELS, results, config)
        tracker.log_table("leaderboard", found.leaderboard)
        for figure in found.figures[:1]:
            tracker.log_page("comparison", figure.svg["wide"])


if __name__ == "__main__":
    main()
