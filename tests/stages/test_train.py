from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter import load
from cofilter.core.errors import ConfigError
from stages import train_baseline, train_knn, train_mf
from stages.drift import composed
from stages.train import shared
from tests.checkout import MF, Checkout

CFG: dict[str, Any] = composed()


def test_every_model_is_told_the_scale_and_the_biases() -> None:
    assert shared(CFG) == {"scale": CFG["data"]["scale"], "bias": CFG["bias"]}
    for model in (train_baseline.make(CFG), train_knn.make(CFG), train_mf.make(CFG)):
        assert list(model.config.scale or ()) == CFG["data"]["scale"]
        assert model.config.bias.iterations == CFG["bias"]["iterations"]


def test_a_factorization_is_told_the_seed_and_the_device() -> None:
    made = train_mf.make(CFG | {"seed": 7, "mf": CFG["mf"] | {"device": "cpu"}})
    assert (made.config.seed, getattr(made.config, "device", None)) == (7, "cpu")


@pytest.mark.parametrize(("stage", "group"), [(train_baseline, "baseline"), (train_knn, "knn")])
def test_an_unknown_kind_names_those_that_there_are(stage: Any, group: str) -> None:
    with pytest.raises(ConfigError, match=rf"{group}\.kind: 'best' is not one of \w+, "):
        stage.make(CFG | {group: CFG[group] | {"kind": "best"}})


@pytest.mark.parametrize("name", ["baseline/bias", "knn/item", MF])
def test_a_trained_point_is_whole(name: str, finished: Checkout) -> None:
    """Its folder loads, was fitted on train + validation, and says what validation found."""
    folder = finished.path / "models" / name
    model = load(folder)
    parts = [
        finished.path / "data" / "split" / f"{part}.parquet" for part in ("train", "validation")
    ]
    both = pd.concat([pd.read_parquet(part) for part in parts])
    assert model.popularity_.sum() == len(both)
    assert np.array_equal(model.users_.ids, np.unique(both["user_id"]))
    told = json.loads((folder / "selection.json").read_text())
    assert f"{told['family']}/{told['point']}" == name
    assert told["refit"] is True
    assert 0 < told["validation"]["warm"]["rmse"] < 2
    timings = finished.path / "logs" / "timings" / f"{name.replace('/', '-')}.json"
    assert json.loads(timings.read_text()).keys() == {"fit_seconds", "refit_seconds"}


def test_only_models_with_epochs_have_a_learning_curve(finished: Checkout) -> None:
    models = finished.path / "models"
    curve = pd.read_csv(models / MF / "learning_curve.csv")
    assert list(curve["phase"].unique()) == ["fit", "refit"]
    best = json.loads((models / MF / "selection.json").read_text())["epochs"]
    fit, refit = (curve[curve["phase"] == phase] for phase in ("fit", "refit"))
    assert fit["epoch"].iloc[fit["rmse"].argmin()] == best == refit["epoch"].max()
    assert not (models / "knn" / "item" / "learning_curve.csv").exists()
