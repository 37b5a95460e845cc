"""Blend the models that the sweep names, with weights learned on validation."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

from cofilter.blending.blend import learn_blend, save_blend
from cofilter.blending.weights import BlendConfig
from cofilter.core.config import parse
from cofilter.core.parts import load_parts
from cofilter.core.paths import BLENDED, MODELS, SPLIT
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.kernels.threads import set_threads
from cofilter.report.trained import artifact_name, use_models
from cofilter.scoring.folders import BLEND, ENSEMBLE, expected_folders
from cofilter.tracking.data import MODEL
from cofilter.training.points import expected_points, shared
from stages.app import Run, stage
from stages.groups import primary_config
from stages.tracked import tracker, use


@stage
def main(run: Run) -> None:
    """Config → models' answers on validation → weights → ensemble, tracked."""
    set_threads(run.cfg["threads"])
    config = parse(BlendConfig, run.cfg["blend"], "blend")
    primary = primary_config(run.cfg)
    common = parse(ModelConfig, shared(run.cfg), "data")
    folders = expected_folders(MODELS, expected_points(run.cfg))
    with tracker(run, "blend") as tracked:
        tracked.start()
        blend = learn_blend(folders, load_parts(SPLIT), config, primary, common)
        save_blend(blend, run.out / BLENDED)
        use(tracked, "split")
        use_models(tracked, folders)
        tracked.log_summary(blend.selection)
        tracked.log_artifact(artifact_name(ENSEMBLE, BLEND), MODEL, run.out / BLENDED, ["best"])


if __name__ == "__main__":
    main()
