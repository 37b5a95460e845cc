"""Choose which ratings take part."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.console.progress import busy
from cofilter.core.columns import TIMESTAMP
from cofilter.core.config import parse
from cofilter.core.io import read_table, write_json, write_table
from cofilter.core.paths import FILTER_REPORT, FILTERED, RATINGS
from cofilter.preparation.filter import FilterConfig, filter_and_prune
from cofilter.preparation.pruned import REMOVED
from cofilter.preparation.split import SplitConfig, split_instants
from stages.app import Run, stage
from stages.tracked import data_hashes, log, tracker_of, use


@stage
def main(run: Run) -> None:
    """Config → ratings → filter → save and track."""
    config = parse(FilterConfig, run.cfg["filter"], "filter")
    split = parse(SplitConfig, run.cfg["split"], "split")
    with busy("filtering the ratings"):
        ratings = read_table(RATINGS)
        instants = split_instants(split, ratings.get(TIMESTAMP))
        filtered, report, removed = filter_and_prune(ratings, config, instants)
        write_table(run.out / FILTERED, filtered)
        write_table(run.out / REMOVED, removed)
    write_json(run.out / FILTER_REPORT, report)
    with tracker_of(run, data_hashes(), "filter", "filter", waits=False) as tracked:
        use(tracked, "ratings")
        tracked.log_summary(report)
        log(tracked, run, "filtered")


if __name__ == "__main__":
    main()
