"""Choose which ratings take part."""

from __future__ import annotations

from cofilter.columns import TIMESTAMP
from cofilter.config import parse
from cofilter.io import read_table, write_json, write_table
from cofilter.paths import FILTER_REPORT, FILTERED, RATINGS
from cofilter.preparation.filter import FilterConfig, filter_ratings
from cofilter.preparation.split import SplitConfig, split_instants
from cofilter.progress import busy
from stages.app import Run, stage


@stage
def main(run: Run) -> None:
    """Config → ratings → filter → save."""
    config = parse(FilterConfig, run.cfg["filter"], "filter")
    split = parse(SplitConfig, run.cfg["split"], "split")
    with busy("filtering the ratings"):
        ratings = read_table(RATINGS)
        instants = split_instants(split, ratings.get(TIMESTAMP))
        filtered, report = filter_ratings(ratings, config, instants)
        write_table(run.out / FILTERED, filtered)
    write_json(run.out / FILTER_REPORT, report)


if __name__ == "__main__":
    main()
