"""Score methods in successive windows before the test instant: what ships is chosen by it."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.backtest.backtest import backtest, save_backtest, summary
from cofilter.backtest.methods import backtest_config, backtest_points
from cofilter.backtest.request import request_of
from cofilter.core.paths import RESULTS
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.tracked import log_backtest
from stages import messages
from stages.app import Run, stage
from stages.groups import points_config
from stages.tracked import tracker, use


@stage
def main(run: Run) -> None:
    """Config → train and validation → windows → tables."""
    set_threads(run.cfg["threads"])
    points = points_config(run.cfg, backtest_points(backtest_config(run.cfg), run.cfg))
    request = request_of(run.cfg, points)
    with tracker(run, "backtest", waits=False) as tracked:
        tracked.start()
        found = backtest(request, run.root)
        save_backtest(found, run.out / RESULTS)
        log_backtest(tracked, found)
        use(tracked, "split")
    if len(found.pooled):
        messages.table(summary(found.pooled, request.evaluate.primary))


if __name__ == "__main__":
    main()
