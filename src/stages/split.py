"""Cut the ratings into train, validation and test, with proof that nothing leaks."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.console import messages
from cofilter.console.progress import busy
from cofilter.core.columns import TIMESTAMP
from cofilter.core.config import parse
from cofilter.core.io import read_table
from cofilter.core.parts import save_parts
from cofilter.core.paths import FILTERED, RATINGS, SPLIT
from cofilter.preparation.audit import audit
from cofilter.preparation.returns import refuse_returns
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from stages.app import Run, stage


@stage
def main(run: Run) -> None:
    """Config → filtered ratings and the raw log's instants → split → save."""
    config = parse(SplitConfig, run.cfg["split"], "split")
    with busy("splitting the ratings"):
        instants = split_instants(config, read_table(RATINGS).get(TIMESTAMP))
        filtered = read_table(FILTERED)
        refuse_returns(filtered, config.duplicates, run.cfg["data"]["scale"])
        parts, report = split_ratings(filtered, config, instants)
        facts = audit(parts, instants, config, report["duplicates"], report["validation"])
        save_parts(parts, facts, run.out / SPLIT)
    messages.returned(report["duplicates"])


if __name__ == "__main__":
    main()
