"""The pipeline as a user runs it: `dvc repro` and `dvc exp run` on a small ratings file."""

from __future__ import annotations

import io
import json
import shutil

import pandas as pd
import pytest

from cofilter import load
from cofilter.core.parts import load_parts
from cofilter.scoring.scores import score
from tests.checkout import MF, RATINGS, SMALL, Checkout, errors, ran, write_ratings
from tests.evaluation.conftest import make_config

TRAIN_MF, BLEND, EVALUATE = "train_mf@biased-4-0", "blend", "evaluate"

EVALUATED = make_config(primary="ndcg@10", k=(5, 10, 20), relevance_threshold=4.0)


def leaderboard(checkout: Checkout) -> pd.DataFrame:
    return pd.read_csv(checkout.path / "results" / "leaderboard.csv")


def epochs(checkout: Checkout) -> list[int]:
    """Epochs of the first fit, as its learning curve has them."""
    curve = pd.read_csv(io.BytesIO(checkout.model()["learning_curve.csv"]))
    return curve.loc[curve["phase"] == "fit", "epoch"].tolist()


def test_from_nothing_to_a_leaderboard(finished: Checkout) -> None:
    results = finished.path / "results"
    points = set(leaderboard(finished)[["family", "point"]].itertuples(index=False, name=None))
    single = {("baseline", "bias"), ("knn", "item"), ("mf", "biased-dim4-seed0")}
    assert points == single | {("ensemble", "blend")}
    assert json.loads((results / "metrics.json").read_text())
    page = (results / "report.html").read_text(encoding="utf-8")
    assert all(f"{family}/{point}" in page or point in page for family, point in points)
    assert "1001" in page  # these ratings have no titles: items are called by their ids
    assert "http://" not in page.replace("http://www.w3.org", "")
    shown = json.loads(finished.dvc("metrics", "show", "--json").stdout)
    assert "results/metrics.json" in json.dumps(shown)


def test_nothing_changed_runs_nothing(finished: Checkout) -> None:
    before = finished.outputs()
    again = finished.dvc("repro")
    assert ran(again) == []
    assert "Data and pipelines are up to date." in again.stdout
    assert finished.outputs() == before


def test_an_added_dim_trains_that_dim_only(checkout: Checkout) -> None:
    before = checkout.model()
    checkout.compose("points.mf.dim=[4,6]")
    stages = {"check", "backtest", "train_mf@biased-6-0", BLEND, EVALUATE}
    assert set(ran(checkout.dvc("repro"))) == stages  # the middle dim takes part in the backtest
    assert checkout.model() == before
    assert {"biased-dim4-seed0", "biased-dim6-seed0"} < set(leaderboard(checkout)["point"])


def test_a_changed_lr_trains_anew_and_the_earlier_one_comes_from_the_cache(
    checkout: Checkout,
) -> None:
    before, outputs, states = checkout.model(), checkout.outputs(), checkout.checkpoints()
    checkout.compose("mf.lr=0.01")
    changed = checkout.dvc("repro", TRAIN_MF)
    assert ran(changed) == ["check", TRAIN_MF]
    assert "continuing" not in changed.stdout + changed.stderr
    assert epochs(checkout) == [1, 2, 3, 4]
    assert checkout.model()["arrays.npz"] != before["arrays.npz"]
    assert set(states) < set(checkout.checkpoints())

    shutil.rmtree(checkout.path / "checkpoints")
    checkout.compose()
    back = checkout.dvc("repro")
    assert ran(back) == []
    assert f"Stage '{TRAIN_MF}' is cached - skipping run, checking out outputs" in back.stdout
    assert checkout.outputs() == outputs
    assert checkout.checkpoints() == []


def test_evaluate_scores_the_named_models_and_no_other(checkout: Checkout) -> None:
    """A stray model is named and ignored; a missing one stops the stage, results stay."""
    before = checkout.outputs()
    models = checkout.path / "models"
    (models / MF).rename(models / "mf" / "biased-dim5-seed0")
    stopped = checkout.stage("evaluate", inside=True)
    assert stopped.returncode != 0
    (line,) = errors(stopped)
    assert line.startswith(f"error: models are missing: models/{MF} (run the stage train_mf")
    shutil.copytree(models / "mf" / "biased-dim5-seed0", models / MF)
    scored = checkout.stage("evaluate", inside=True)
    assert scored.returncode == 0, scored.stderr
    assert "models/mf/biased-dim5-seed0" in scored.stdout + scored.stderr
    assert "biased-dim5-seed0" not in (checkout.path / "results/leaderboard.csv").read_text()
    now = checkout.outputs()
    assert {name: now[name] for name in before} == before

    last = scored.stdout.splitlines()[-5:]
    assert [line.split(":")[0] for line in last] == ["data", "ship", "gain", "hits", "load"]
    assert (checkout.path / last[-1].split('"')[1] / "model.json").is_file()


def test_another_blend_trains_nothing(checkout: Checkout) -> None:
    before = checkout.model()
    checkout.compose("blend.rank_constant=5.0", "blend.most_members=1")
    changed = json.loads(checkout.dvc("status", "--json").stdout).keys()
    assert changed <= {"check", "backtest", BLEND, EVALUATE}  # a backtest blends as well
    assert set(ran(checkout.dvc("repro", BLEND))) <= {"check", BLEND}
    assert checkout.model() == before
    told = json.loads((checkout.path / "results/ensemble/selection.json").read_text())
    assert sum(member["rating_weight"] > 0 for member in told["members"]) == 1


def test_the_blend_ships_with_everything_that_it_needs(checkout: Checkout) -> None:
    """Moved away from the models that it was made of, it answers as evaluate scored it."""
    shutil.rmtree(checkout.path / "models")
    folder = (checkout.path / "results" / "ensemble").rename(checkout.path / "shipped")
    model = load(folder)
    parts = load_parts(checkout.path / "data" / "split")
    scores = score(model, parts.train, parts.validation, parts.test, EVALUATED).summary()
    row = leaderboard(checkout).set_index("family").loc["ensemble"]
    for name in ("rmse", "ndcg@10"):
        assert row[f"warm_{name}"] == pytest.approx(scores["warm"][name])


def test_a_changed_file_is_noticed(checkout: Checkout) -> None:
    write_ratings(checkout.path / RATINGS, seed=1)
    status = json.loads(checkout.dvc("status", "--json").stdout)
    assert {"changed deps": {RATINGS: "modified"}} in status["download"]
    assert ran(checkout.dvc("repro", "download")) == ["download"]


def test_more_epochs_in_a_temporary_copy_continue_the_main_checkouts_training(
    checkout: Checkout,
) -> None:
    """Its copy of the tree lies in .dvc/tmp/exps, without checkpoints of its own."""
    before = checkout.outputs()
    assert checkout.run("git", "add", "dvc.lock").returncode == 0
    assert checkout.run("git", "commit", "--quiet", "-m", "lock").returncode == 0
    overrides = [part for change in (*SMALL, "mf.epochs=6") for part in ("-S", change)]
    found = checkout.dvc("exp", "run", "--temp", "--name", "longer", *overrides, TRAIN_MF)
    assert ran(found) == ["check", TRAIN_MF]
    assert "continuing after epoch 4" in found.stdout + found.stderr
    assert checkout.outputs() == before
    assert "longer" in checkout.dvc("exp", "list", "--name-only").stdout.split()


def test_an_impossible_configuration_leaves_every_model_in_its_place(checkout: Checkout) -> None:
    before = checkout.outputs()
    checkout.compose("mf.lr=-1")
    refused = checkout.run("dvc", "repro")
    assert refused.returncode != 0
    assert "error: mf.lr: -1 is not allowed" in refused.stdout + refused.stderr
    assert ran(refused) == ["check"]
    left = checkout.outputs()
    assert before.keys() - left.keys() == {"data/checked.json"}  # the stage's own, a constant
    assert all(before[name] == content for name, content in left.items())
