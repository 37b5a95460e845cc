"""A stage as a person runs it by hand: Hydra in, one clear line out when something is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from stages.app import plain
from tests.checkout import MF, RATINGS, Checkout, errors
from tests.tracking.wandb_log import read_run

HEADER = "user_id,item_id,rating,timestamp\n"


def test_plain_has_none_where_nothing_is_given() -> None:
    assert plain({"a": "???", "b": {"c": "???", "d": [1]}}) == {
        "a": None,
        "b": {"c": None, "d": [1]},
    }


def test_a_direct_run_writes_into_its_own_folder(checkout: Checkout) -> None:
    before, earlier = checkout.outputs(), set((checkout.path / "outputs").glob("*/*"))
    done = checkout.stage("train_mf", "mf.lr=0.03")
    assert done.returncode == 0, done.stderr
    assert checkout.outputs() == before
    (folder,) = set((checkout.path / "outputs").glob("*/*")) - earlier
    files = {path.name for path in (folder / "models" / MF).iterdir()}
    assert files == {
        "arrays.npz",
        "model.json",
        "selection.json",
        "learning_curve.csv",
        "validation.npz",
    }
    assert str(folder) in done.stdout + done.stderr
    reached = json.loads((folder / "models" / MF / "selection.json").read_text())
    warm = reached["validation"]["warm"]
    assert (
        f"{MF}: on validation ndcg@10 {warm['ndcg@10']:.4f}, rmse {warm['rmse']:.4f} "
        f"(best epoch {reached['epochs']})"
    ) in done.stdout


def test_a_direct_run_trains_any_family(checkout: Checkout) -> None:
    before = checkout.outputs()
    done = checkout.stage("train", "family=knn", "knn.kind=user")
    assert done.returncode == 0, done.stderr
    assert checkout.outputs() == before
    (folder,) = (checkout.path / "outputs").glob("*/*/models/*/*")
    assert folder.parts[-2:] == ("knn", "user")


def test_a_multirun_trains_every_point_with_a_tracked_run_each(checkout: Checkout) -> None:
    before = checkout.outputs()
    sweep = ("mf.dim=3,5", "tracking.mode=offline")
    command = checkout.command("train_mf", *sweep)
    command.insert(2, "--multirun")
    done = checkout.run(*command)
    assert done.returncode == 0, done.stderr
    assert checkout.outputs() == before
    best = {name: figures(checkout, name) for name in ("mf.dim=3", "mf.dim=5")}
    table = done.stdout.split("on validation, warm rows")[1].splitlines()
    shown = [line.split() for line in table if line.strip().startswith("mf.dim=")]
    assert shown == sorted(best.values(), key=lambda cells: cells[2], reverse=True)
    names = {path.name for path in (checkout.path / "multirun").glob("*/*/*/models/mf/*")}
    assert names == {"biased-dim3-seed0", "biased-dim5-seed0"}
    runs = [read_run(folder) for folder in (checkout.path / "logs" / "wandb").glob("offline-run-*")]
    assert {run.name for run in runs} == {f"mf-{name}" for name in names}
    assert len(runs) == 2
    assert len({run.group for run in runs}) == 1
    for run in runs:
        assert run.job_type == "train_mf"
        assert run.numbers("epoch") == [(1,), (2,), (3,), (4,)]
        assert run.exit_code == 0
        assert {"best"} <= set(run.artifacts[run.name])
        assert {"last"} <= set(run.artifacts[f"{run.name}-checkpoint"])
        assert run.numbers("recommendations/path")
        assert run.numbers("predictions/path")


def figures(checkout: Checkout, override: str) -> list[str]:
    """The row of a multirun's table for the job with an override."""
    dim = override.rpartition("=")[2]
    point = f"biased-dim{dim}-seed0"
    (path,) = (checkout.path / "multirun").glob(f"*/*/*/models/mf/{point}/selection.json")
    selection = json.loads(path.read_text())
    warm = selection["validation"]["warm"]
    values = [f"{warm[name]:.4f}" for name in ("ndcg@10", "rmse")]
    return [override, f"mf/{point}", *values, str(selection["epochs"])]


@pytest.mark.parametrize(
    ("sweep", "bad", "told"),
    [
        (["mf.dim=0,3"], "mf.dim=0", "mf.dim: 0 is not allowed"),
        (
            ["mf.dim=3", "mf.lr=1000,0.03"],
            "mf.lr=1000",
            "the loss is nan in epoch 1 at learning rate",
        ),
    ],
    ids=["refused", "diverged"],
)
def test_a_failed_job_of_a_multirun_lets_the_others_run_and_fails_it_at_the_end(
    sweep: list[str], bad: str, told: str, checkout: Checkout
) -> None:
    command = checkout.command("train_mf", *sweep)
    command.insert(2, "--multirun")
    done = checkout.run(*command)
    assert done.returncode == 2
    table = done.stdout.split("on validation, warm rows")[1]
    rows = [line.strip() for line in table.splitlines() if line.strip().startswith("mf.")]
    good, failed = rows[0], " ".join(table[table.index(bad) :].split())
    assert good.split()[1:] == figures(checkout, "mf.dim=3")[1:]
    assert told in failed
    assert "checkpoint" not in failed
    assert "Traceback" not in done.stdout + done.stderr


def test_a_mistake_of_the_programme_in_a_job_of_a_multirun_lets_the_others_run(
    checkout: Checkout,
) -> None:
    path = checkout.path / "src" / "stages" / "train.py"
    broken = "point = 1 / (run.cfg['mf']['dim'] - 4) and point_config("
    path.write_text(path.read_text().replace("point = point_config(", broken))
    command = checkout.command("train_mf", "mf.dim=4,3")
    command.insert(2, "--multirun")
    done = checkout.run(*command)
    assert done.returncode == 2
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert "Traceback" in done.stderr
    assert figures(checkout, "mf.dim=3")[1] in done.stdout


def refused(checkout: Checkout, stage: str, *overrides: str, inside: bool = True) -> str:
    """The one line of a stage that must stop, and change nothing."""
    before = checkout.outputs()
    stopped = checkout.stage(stage, *overrides, inside=inside)
    assert stopped.returncode == 2
    (line,) = errors(stopped)
    assert line.startswith("error: ")
    assert "Traceback" not in stopped.stdout
    assert checkout.outputs() == before
    return line


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("+mf.foo=1", ["mf.foo: unknown key", "batch_size"]),
        ("mf.dim=0", ["mf.dim: 0", "an integer from 1 up"]),
        ("mf.dmi=3", ["mf.dmi"]),
        ("mf.kind=best", ["mf.kind: 'best'", "svdpp"]),
        ("family=best", ["'best' is not a family of models", "als, baseline"]),
        ("mf=other", ["mf/other", "default"]),
        ("mf.dim=[3", ["[3"]),
    ],
)
def test_a_wrong_key_or_value_is_one_line(
    override: str, told: list[str], finished: Checkout
) -> None:
    line = refused(finished, "train_mf", override, inside=False)
    assert all(word in line for word in told)


def test_an_unknown_key_in_params_yaml_is_one_line(checkout: Checkout) -> None:
    path = checkout.path / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["split"]["kidn"] = "random"
    path.write_text(yaml.safe_dump(params))
    assert "split.kidn: unknown key (allowed: " in refused(checkout, "split")


@pytest.mark.parametrize(
    ("line", "told"),
    [("other: !!python/object/apply:os.system [x]", "python/object"), ("mf: 1", "duplicate key")],
)
def test_a_params_yaml_that_would_run_code_or_says_a_thing_twice_is_one_line(
    line: str, told: str, checkout: Checkout
) -> None:
    with (checkout.path / "params.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    refused = checkout.stage("split", inside=True)
    assert refused.returncode == 2
    (found,) = errors(refused)
    assert told in found


def test_logs_that_cannot_be_written_do_not_fail_a_stage(checkout: Checkout) -> None:
    (checkout.path / "logs" / "timings").rename(checkout.path / "logs" / "away")
    (checkout.path / "logs" / "timings").write_text("a file where a folder should be")
    done = checkout.stage("train_knn", "knn.kind=item", inside=True)
    assert done.returncode == 0, done.stderr
    assert "logs/timings/knn-item.json is not written" in done.stdout + done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA GPU")
def test_an_absent_device_is_one_line(finished: Checkout) -> None:
    line = refused(finished, "train_mf", "mf.device=cuda")
    assert "device: 'cuda'" in line
    assert "cpu" in line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("user_id,item_id,timestamp\n1,2,3\n", ["rating", "user_id, item_id, timestamp"]),
        (HEADER + "1,2,4,100\n1,3,9,100\n", ["row 3", "rating", "9", "1", "5"]),
        (HEADER + "1,2,4,soon\n", ["row 2", "timestamp", "soon"]),
        ("", ["empty"]),
        (b"PK\x03\x04\xff\xfe\x00\x00 not text", [RATINGS]),
    ],
    ids=["column", "range", "time", "empty", "binary"],
)
def test_a_bad_file_is_one_line(
    content: str | bytes, told: list[str], finished: Checkout, tmp_path: Path
) -> None:
    path = tmp_path / RATINGS
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    line = refused(finished, "download", f"data.path={path}")
    assert all(word in line for word in [RATINGS, *told]), line


def test_a_stage_without_its_input_is_one_line(checkout: Checkout) -> None:
    (checkout.path / "data" / "filtered.parquet").unlink()
    assert "data/filtered.parquet: file not found" in refused(checkout, "split")


def test_a_cut_that_leaves_a_part_empty_is_one_line(checkout: Checkout, tmp_path: Path) -> None:
    ratings = pd.read_parquet(checkout.path / "data" / "ratings.parquet")
    ratings.assign(timestamp=7).to_parquet(checkout.path / "data" / "ratings.parquet", index=False)
    assert checkout.stage("filter", inside=True).returncode in (0, 2)
    assert "empty" in refused(checkout, "split")


def test_a_mistake_of_the_programme_keeps_its_stack_trace(checkout: Checkout) -> None:
    path = checkout.path / "src" / "stages" / "split.py"
    path.write_text(path.read_text().replace("config = parse(", "config = 1 / 0 or parse("))
    stopped = checkout.stage("split", inside=True)
    assert stopped.returncode == 1
    assert "Traceback" in stopped.stderr
    assert "ZeroDivisionError" in stopped.stderr


def test_hydra_shows_the_configuration(finished: Checkout) -> None:
    shown = finished.run(sys.executable, "src/stages/train.py", "--cfg", "job", "mf.dim=7")
    assert shown.returncode == 0
    assert yaml.safe_load(shown.stdout)["mf"]["dim"] == 7
