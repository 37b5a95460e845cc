"""Train one point of one family: `family`, and the kind, dim and seed that the points name."""

from __future__ import annotations

from functools import partial

from cofilter.core.io import read_json, write_json
from cofilter.core.parts import AUDIT, load_parts
from cofilter.core.paths import CHECKPOINTS, MODELS, SPLIT, TIMINGS
from cofilter.core.titles import read_titles
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.trained import log_trained
from cofilter.training.point import Point, save_point, train_point
from cofilter.training.points import make_point, point_of
from stages.app import Run, stage
from stages.groups import checkpoint_config, score_config
from stages.tracked import tracker


@stage
def main(run: Run) -> None:
    """Config → split → fit, choose, fit again → save and track."""
    cfg, family = run.cfg, run.cfg["family"]
    name = point_of(family, cfg)
    make = partial(make_point, family, name, cfg)
    make()  # an impossible model stops here, before anything is read or tracked
    point = Point(
        family, name, cfg["seed"], make, cfg["refit"], score_config(cfg), checkpoint_config(cfg)
    )
    set_threads(cfg["threads"])
    parts, folder = load_parts(SPLIT), run.out / MODELS / family / name
    with tracker(run, read_json(SPLIT / AUDIT), f"train_{family}", f"{family}-{name}") as tracked:
        trained = train_point(point, parts, run.root / CHECKPOINTS, tracked)
        save_point(trained, folder)
        write_json(run.root / TIMINGS / f"{family}-{name}.json", trained.timings)
        log_trained(tracked, trained, parts, read_titles(), folder)


if __name__ == "__main__":
    main()
