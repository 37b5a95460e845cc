"""Search hyper-parameters on validation, outside DVC: `make search`."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.text import Text

from cofilter.core.config import parse
from cofilter.core.io import write_text
from cofilter.evaluation.config import EvaluateConfig
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.terminal import terminal
from cofilter.search.config import SearchConfig
from cofilter.search.job import Data, Job, metric_of
from cofilter.search.report import configuration, refuse_to_overwrite, summary, table, target
from cofilter.search.search import search
from cofilter.search.space import Tree, check_space, merged, space_of, values_at
from cofilter.tracking.config import TrackingConfig
from cofilter.training.points import make_point, parse_point
from stages.app import Run, stage
from stages.groups import checkpoint_config


def make(family: str, point: str, cfg: dict[str, Any], values: Tree) -> Recommender:
    """The unfitted model of a point, with values laid over its family's group."""
    return make_point(family, point, cfg | {family: merged(cfg[family], values)})


def job_of(run: Run) -> Job:
    """The search that the configuration describes; what is impossible stops here."""
    cfg = run.cfg
    config = parse(SearchConfig, cfg["search"], "search")
    evaluate = parse(EvaluateConfig, cfg["evaluate"], "evaluate")
    family, point = config.family, config.point
    model = make_point(family, point, cfg)  # an unknown method stops here
    making = partial(make, family, point, cfg)
    kind = parse_point(point).get("kind", cfg[family].get("kind"))
    space = space_of(config.space, family, kind, "search.space")
    check_space(space, making, f"search.space.{family}")
    return Job(
        config=config,
        study=config.study or f"{family}-{point}-{cfg['data']['name']}",
        kind=kind,
        make=making,
        space=space,
        present=values_at(space, cfg[family]),
        metric=metric_of(model, config, evaluate),
        evaluate=evaluate,
        checkpoint=checkpoint_config(cfg),
        tracking=parse(TrackingConfig, cfg["tracking"], "tracking"),
        run_config=cfg,
        root=run.root,
        threads=cfg["threads"],
    )


@stage
def main(run: Run) -> None:
    """Config → train and validation → trials → the best configuration as a file of conf/."""
    job = job_of(run)
    refuse_to_overwrite(job)
    set_threads(job.threads)
    data = Data.load(run.root / job.config.split, job.evaluate.relevance_threshold)
    study = search(job, data)
    text = configuration(study)
    write_text(target(job), text)
    write_text(run.out / "trials.csv", table(study).to_csv(index=False))
    console = terminal()
    console.print(Text(summary(study)))
    console.print(Text(f"\n{text}"))
    path = target(job).relative_to(run.root)
    console.print(Text(f"{path}: selected by {job.config.family}={path.stem}"))


if __name__ == "__main__":
    main()
