"""Score every model that the sweep names on test, once, and write results/ and draw the report."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.io import write_log
from cofilter.core.paths import RESULTS
from cofilter.core.titles import read_genres, read_titles
from cofilter.evaluation.evaluate import evaluate
from cofilter.evaluation.request import request_of
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.conclusion import print_conclusion, read_facts
from cofilter.report.environment import ENVIRONMENT, environment
from cofilter.report.page import write_report
from cofilter.report.terminal import terminal
from cofilter.report.tracked import log_evaluation, log_figures
from stages.app import Run, stage
from stages.drift import say_drift
from stages.tracked import tracker, use


@stage
def main(run: Run) -> None:
    """Config → split and models → evaluate → draw and track."""
    set_threads(run.cfg["threads"])
    request, results = request_of(run.cfg, read_titles(), read_genres()), run.out / RESULTS
    with tracker(run, "evaluate") as tracked:
        tracked.start()
        found = evaluate(request, results)
        write_log(run.root / ENVIRONMENT, environment())
        use(tracked, "split")
        log_evaluation(tracked, request, found, results)
        log_figures(tracked, write_report(results, run.root))
    say_drift(failed=False)
    print_conclusion(read_facts(results), terminal())


if __name__ == "__main__":
    main()
