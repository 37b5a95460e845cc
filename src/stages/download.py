"""Bring ratings and titles from a source to data/."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.core.config import parse
from cofilter.core.paths import DOWNLOADS
from cofilter.sources.source import DataConfig, obtain, save
from stages.app import Run, stage


@stage
def main(run: Run) -> None:
    """Config → obtain → save."""
    config = parse(DataConfig, run.cfg["data"], "data")
    save(obtain(config, run.root / DOWNLOADS, run.root), run.out)


if __name__ == "__main__":
    main()
