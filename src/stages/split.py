"""Cut the ratings into train, validation and test, with proof that nothing leaks."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.console import messages
from cofilter.console.progress import busy
from cofilter.core.columns import TIMESTAMP
from cofilter.core.config import parse
from cofilter.core.io import read_table
from cofilter.core.parts import content_hashes, save_parts
from cofilter.core.paths import FILTERED, RATINGS, SPLIT
from cofilter.preparation.accounting import repeats_told
from cofilter.preparation.audit import PRUNED, audit
from cofilter.preparation.pruned import REMOVED, pruned_test, save_pruned
from cofilter.preparation.returns import refuse_returns
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from stages.app import Run, stage
from stages.tracked import log, tracker_of, use


@stage
def main(run: Run) -> None:
    """Config → filtered ratings and the instants → split, pruned rows → save and track."""
    config = parse(SplitConfig, run.cfg["split"], "split")
    with busy("splitting the ratings"):
        instants = split_instants(config, read_table(RATINGS).get(TIMESTAMP))
        filtered = read_table(FILTERED)
        refuse_returns(filtered, config.duplicates, run.cfg["data"]["scale"])
        parts, report = split_ratings(filtered, config, instants)
        facts = audit(parts, instants, config, report["duplicates"], report["validation"])
        pruned, removed = None, read_table(REMOVED)
        if len(removed):
            pruned, facts[PRUNED] = pruned_test(removed, instants, config)
        save_pruned(pruned, run.out / SPLIT)
        save_parts(parts, facts, run.out / SPLIT)
    messages.repeats(repeats_told(facts))
    with tracker_of(run, content_hashes(facts), "split", "split", waits=False) as tracked:
        use(tracked, "ratings", "filtered")
        tracked.log_summary(facts)
        log(tracked, run, "split")


if __name__ == "__main__":
    main()
