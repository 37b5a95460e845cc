"""The recipe of docs/files.md that corrects clicks for position, run on a made-up log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.matrix import Interactions
from cofilter.models.als.model import ImplicitALS
from cofilter.sources.source import obtain
from tests.sources.configs import source

DOCS = Path(__file__).parents[1] / "docs" / "files.md"
PROPENSITY = np.array([1.0, 0.5, 0.25, 0.05])


def test_the_recipe_finds_the_propensities_and_its_file_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    log = pd.DataFrame({"user_id": rng.integers(0, 200, n), "item_id": rng.integers(0, 400, n)})
    log = log.drop_duplicates().reset_index(drop=True)
    log["timestamp"] = np.arange(len(log))
    log["position"] = rng.integers(1, 5, len(log))
    log["clicked"] = (rng.random(len(log)) < 0.8 * PROPENSITY[log.position - 1]).astype(int)
    log.to_csv(tmp_path / "impressions.csv", index=False)

    script = DOCS.read_text(encoding="utf-8").split("python - <<'END'\n")[1].split("END\n")[0]
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)

    config = source("csv", path="clicks.csv", columns__rating=None, columns__weight="weight")
    clicks = obtain(config, tmp_path, tmp_path).ratings
    by_position = clicks.merge(log, on=["user_id", "item_id"]).groupby("position").weight
    assert by_position.nunique().tolist() == [1, 1, 1, 1]
    expected = 1 / np.maximum(PROPENSITY, 0.1)  # the last one is cut off
    assert by_position.first().tolist() == pytest.approx(expected.tolist(), rel=0.06)
    model = ImplicitALS(dim=2, epochs=1).fit(Interactions.of(clicks))
    assert model.weight_mean_ == pytest.approx(clicks.weight.mean())
