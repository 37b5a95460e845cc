"""Blend the models that the sweep names, with weights learned on validation."""

from __future__ import annotations

from cofilter.config import parse
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.folders import expected_folders
from cofilter.models.config import ModelConfig
from cofilter.paths import BLENDED, MODELS, SPLIT
from cofilter.preparation.parts import load_parts
from cofilter.training.blend import learn_blend, save_blend
from cofilter.training.weights import BlendConfig
from stages.app import Run, stage
from stages.points import expected_points
from stages.threads import set_threads
from stages.train import shared


@stage
def main(run: Run) -> None:
    """Config → models' answers on validation → weights → ensemble."""
    set_threads(run.cfg["threads"])
    config = parse(BlendConfig, run.cfg["blend"], "blend")
    evaluate = parse(EvaluateConfig, run.cfg["evaluate"], "evaluate")
    common = parse(ModelConfig, shared(run.cfg), "data")
    folders = expected_folders(MODELS, expected_points(run.cfg))
    blend = learn_blend(folders, load_parts(SPLIT), config, evaluate, common)
    save_blend(blend, run.out / BLENDED)


if __name__ == "__main__":
    main()
