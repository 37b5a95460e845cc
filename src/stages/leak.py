"""Compare each method's error with the test rows in its training data and without them."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from functools import partial

from cofilter.core.config import parse
from cofilter.core.io import write_text
from cofilter.core.parts import load_parts
from cofilter.core.paths import CHECKPOINTS, RESULTS, SPLIT
from cofilter.evaluation.files import LEAK
from cofilter.evaluation.leak import LeakConfig, leaking_against_honest
from cofilter.recommender.kernels.threads import set_threads
from cofilter.training.loop import Trainer
from cofilter.training.points import make_method
from stages import messages
from stages.app import Run, stage
from stages.groups import checkpoint_config
from stages.tracked import tracker, use


@stage
def main(run: Run) -> None:
    """Config → split → every method fitted twice → table."""
    cfg, config = run.cfg, parse(LeakConfig, run.cfg["leak"], "leak")
    methods = {
        entry.name: partial(make_method, entry.method, cfg, "leak.methods", entry.overrides)
        for entry in config.methods
    }
    trainer = Trainer(checkpoint_config(cfg), run.root / CHECKPOINTS, label="leak")
    set_threads(cfg["threads"])
    parts = load_parts(SPLIT)
    if (feedback := parts.feedback(cfg["data"]["scale"])) != "ratings":
        messages.no_errors("leak", feedback)
        methods = {}
    with tracker(run, "leak", waits=False) as tracked:
        tracked.start()
        table = leaking_against_honest(parts, methods, config.rows, config.seed, trainer)
        write_text(run.out / RESULTS / LEAK, table.to_csv(index=False, lineterminator="\n"))
        use(tracked, "split")
        tracked.log_summary({"methods": len(table)})
        tracked.log_table("leak", table)
    if len(table):
        messages.table(table)


if __name__ == "__main__":
    main()
