"""Score every model that the sweep names on test, once, and write results/ and draw the report."""

from __future__ import annotations

from cofilter.core.config import parse
from cofilter.core.io import read_json, write_json
from cofilter.core.parts import AUDIT, load_parts
from cofilter.core.paths import BLENDED, MODELS, RESULTS, SOURCE, SPLIT
from cofilter.core.titles import read_titles
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.evaluate import Request, evaluate
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.environment import ENVIRONMENT, environment
from cofilter.report.page import write_report
from cofilter.training.points import expected_points
from stages.app import Run, stage
from stages.tracked import tracker


@stage
def main(run: Run) -> None:
    """Config → split and models → evaluate → draw and track."""
    cfg, results = run.cfg, run.out / RESULTS
    set_threads(cfg["threads"])
    audit = read_json(SPLIT / AUDIT)
    request = Request(
        parts=load_parts(SPLIT),
        audit=audit,
        split=parse(SplitConfig, cfg["split"], "split"),
        points=expected_points(cfg),
        models=MODELS,
        ensemble=BLENDED,
        config=parse(EvaluateConfig, cfg["evaluate"], "evaluate"),
        titles=read_titles(),
        source=read_json(SOURCE),
    )
    with tracker(run, audit, "evaluate", "evaluate") as tracked:
        tracked.start()
        found = evaluate(request, results)
        write_json(run.root / ENVIRONMENT, environment())
        tracked.log_table("leaderboard", found.leaderboard)
        for figure in write_report(results, run.root):
            tracked.log_page(figure.slug, figure.html())


if __name__ == "__main__":
    main()
