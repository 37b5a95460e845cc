"""Bring ratings and titles from a source to data/."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.config import parse
from cofilter.core.paths import DOWNLOADS
from cofilter.sources.source import DataConfig, obtain, save
from cofilter.sources.summary import lines
from cofilter.tracking.data import DATASET
from stages import messages
from stages.app import Run, stage
from stages.tracked import data_hashes, log, source_files, tracker_of


@stage
def main(run: Run) -> None:
    """Config → obtain → save and track."""
    config = parse(DataConfig, run.cfg["data"], "data")
    obtained = obtain(config, run.root / DOWNLOADS, run.root)
    save(obtained, run.out)
    source = obtained.report
    messages.data(source["name"], lines(source), source["warnings"])
    with tracker_of(run, data_hashes(source), "download", "download", waits=False) as tracked:
        if files := source_files(run, source):  # generated ratings have none
            tracked.use_data("source", DATASET, *files)
        tracked.log_summary(source)
        log(tracked, run, "ratings")


if __name__ == "__main__":
    main()
