from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter import load
from cofilter.core.errors import ConfigError
from cofilter.training.families import families
from cofilter.training.points import make_point, shared
from stages.groups import point_config
from tests.checkout import MF, Checkout
from tests.composition import compose

CFG: dict[str, Any] = compose()


@pytest.mark.parametrize("family", families())
def test_every_model_has_the_common_settings(family: str) -> None:
    common = shared(CFG)
    assert common.keys() == {"scale", "bias", "keep_seen"}
    model = make_point(family, "", CFG | {"keep_seen": False})
    assert list(model.config.scale or ()) == CFG["data"]["scale"]
    assert model.config.bias.model_dump() == CFG["bias"]
    assert model.config.keep_seen is False


def test_a_factorization_has_the_seed_and_the_device() -> None:
    made = make_point("mf", "", CFG | {"seed": 7, "mf": CFG["mf"] | {"device": "cpu"}})
    assert (made.config.seed, getattr(made.config, "device", None)) == (7, "cpu")


@pytest.mark.parametrize(
    ("family", "overrides", "name"),
    [
        ("knn", {"kind": "user"}, "user"),
        ("mf", {"kind": "dot", "dim": 7}, "dot-dim7-seed3"),
        ("bpr", {"dim": 5}, "dim5-seed3"),
        ("ncf", {"kind": "rating"}, "rating-seed3"),
    ],
)
def test_a_direct_run_s_point_is_that_of_its_group(
    family: str, overrides: dict[str, Any], name: str
) -> None:
    group = {family: CFG[family] | overrides}
    point = point_config(CFG | {"family": family, "seed": 3, "refit": False} | group)
    assert (point.family, point.name, point.seed, point.refit) == (family, name, 3, False)
    assert point.make().family == family


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"family": "best"}, r"'best' is not a family of models \(als, baseline, .*, ncf\)"),
        ({"family": "ensemble"}, "'ensemble' is not a family of models"),
        (
            {"family": "knn", "knn": CFG["knn"] | {"kind": "best"}},
            r"knn\.kind: 'best' .* user, item",
        ),
        ({"mf": CFG["mf"] | {"dim": -1}}, r"mf\.dim: -1 is not allowed: an integer from 1 up"),
        ({"mf": CFG["mf"] | {"dim": 1.5}}, r"mf\.dim: 1\.5 is not allowed"),
        ({"mf": CFG["mf"] | {"lr": 0}}, r"mf\.lr: 0"),
        ({"seed": True}, "seed: True is not allowed: an integer from 0 up"),
        ({"refit": "no"}, 'refit: "no" is not allowed'),
        ({"threads": 0}, "threads: 0 is not allowed"),
    ],
)
def test_an_impossible_point_is_named(overrides: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=f"^{told}"):
        point_config(CFG | {"family": "mf"} | overrides)


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
