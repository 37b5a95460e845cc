from __future__ import annotations

from pathlib import Path

import numpy as np

from cofilter.core.parts import save_parts
from cofilter.core.paths import CHECKPOINTS, SPLIT
from cofilter.preparation.audit import audit
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.training.point import train_point
from cofilter.training.stale import stale_checkpoints
from stages.groups import points_config
from tests.composition import compose
from tests.models.contract import ratings_table


def test_checkpoints_of_present_points_stay_whatever_the_data_decides(tmp_path: Path) -> None:
    """ALS takes its weights from the data, the sampler its draws; both stand in identities."""
    table = ratings_table(60, 40)
    times = np.random.default_rng(0).permutation(len(table))
    config = SplitConfig(kind="random", validation_share=0.1, test_share=0.1, seed=0)
    parts, report = split_ratings(table.assign(timestamp=times), config, None)
    save_parts(parts, audit(parts, None, config, report["duplicates"]), tmp_path / SPLIT)
    cfg = compose(
        "~points", "points.als.kind=[implicit]", "points.als.dim=[2]", "als.epochs=2",
        "points.bayes.kind=[plain]", "points.bayes.dim=[1]",
    )  # fmt: skip
    for point in points_config(
        cfg, [("als", "implicit-dim2-seed0"), ("bayes", "plain-dim1-seed0")]
    ):
        train_point(point, parts, tmp_path / CHECKPOINTS)
    assert len(list((tmp_path / CHECKPOINTS).glob("*/*"))) == 4
    assert list(stale_checkpoints(tmp_path, cfg)) == []
    other = compose("~points", "points.als.kind=[implicit]", "points.als.dim=[3]", "als.epochs=2")
    assert len(list(stale_checkpoints(tmp_path, other))) == 4
