"""Train one point of one family: `family`, and the kind, dim and seed that the points name."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.console import messages
from cofilter.core.io import write_log
from cofilter.core.parts import load_parts
from cofilter.core.paths import CHECKPOINTS, MODELS, SPLIT, TIMINGS
from cofilter.core.titles import read_titles
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.trained import log_trained, quality
from cofilter.scoring.folders import save_left_out
from cofilter.training.point import save_point, train_point
from cofilter.training.unfit import unfit_reason
from stages.app import Run, stage
from stages.groups import point_config
from stages.messages import reached
from stages.tracked import tracker, use


@stage
def main(run: Run) -> None:
    """Config → split → fit, choose, fit again → save and track."""
    point = point_config(run.cfg)  # an impossible one stops here, before anything is tracked
    set_threads(run.cfg["threads"])
    folder, name = run.out / MODELS / point.family / point.name, f"{point.family}-{point.name}"
    parts = load_parts(SPLIT)
    reason = unfit_reason(point.make(), parts.feedback(run.cfg["data"]["scale"]), timed=parts.timed)
    with tracker(run, f"train_{point.family}", name) as tracked:
        if reason is not None:
            messages.left_out(f"{point.family}/{point.name}", reason)
            tracked.log_summary({"left_out": reason})
            return save_left_out(folder, reason)
        trained = train_point(point, parts, run.root / CHECKPOINTS, tracked)
        save_point(trained, folder)
        write_log(run.logs / TIMINGS / f"{name}.json", trained.timings)
        use(tracked, "split")
        log_trained(tracked, trained, parts, read_titles(), folder)
    reached(quality(trained.selection, run.cfg["evaluate"]["primary"]))


if __name__ == "__main__":
    main()
