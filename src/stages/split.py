"""Cut the ratings into train, validation and test, with proof that nothing leaks."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.console.progress import busy
from cofilter.core.columns import TIMESTAMP
from cofilter.core.config import parse
from cofilter.core.io import read_table
from cofilter.core.parts import save_parts
from cofilter.core.paths import FILTERED, RATINGS, SPLIT
from cofilter.preparation.audit import PRUNED, audit
from cofilter.preparation.pruned import REMOVED, pruned_test, save_pruned
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from stages.app import Run, stage


@stage
def main(run: Run) -> None:
    """Config → filtered ratings and the raw log's instants → split, what was pruned → save."""
    config = parse(SplitConfig, run.cfg["split"], "split")
    with busy("splitting the ratings"):
        instants = split_instants(config, read_table(RATINGS).get(TIMESTAMP))
        parts, report = split_ratings(read_table(FILTERED), config, instants)
        facts = audit(parts, instants, config, report["duplicates"], report["validation"])
        pruned, removed = None, read_table(REMOVED)
        if len(removed):
            pruned, facts[PRUNED] = pruned_test(removed, instants, config)
        save_pruned(pruned, run.out / SPLIT)
        save_parts(parts, facts, run.out / SPLIT)


if __name__ == "__main__":
    main()
