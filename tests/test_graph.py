"""dvc.yaml: a stage depends on all the code that can change its output, and on no other."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from cofilter.evaluation.tuning import TUNED
from cofilter.training.code import folders
from cofilter.training.families import families
from stages.possible import possible_methods
from tests.checkout import Checkout
from tests.composition import compose
from tests.imports import SRC, closure
from tests.test_layout import BY_NAME

ROOT = SRC.parent
GRAPH = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, dict[str, Any]] = GRAPH["stages"]
TRAINING = {f"train_{family}": family for family in families()}
# What cannot change an output: what is shown, said and sent elsewhere.
HARMLESS = (
    "src/cofilter/console",  # progress bars and log lines
    "src/cofilter/report",  # charts, the page, tables in the terminal, samples for the tracker
    "src/cofilter/tracking",
    "src/stages/drift.py",
    "src/stages/messages.py",
    "src/stages/tracked.py",
)
MODELS = SRC / "cofilter" / "models"


def within(path: Path, places: list[Path]) -> bool:
    return any(path == place or place in path.parents for place in places)


def code(name: str) -> list[Path]:
    """Folders and files of code that a stage depends on."""
    return [ROOT / path for path in STAGES[name]["deps"] if path.startswith("src/")]


@cache
def harmless() -> set[Path]:
    return {path for path in SRC.rglob("*.py") if within(path, [ROOT / each for each in HARMLESS])}


@cache
def running(name: str) -> set[Path]:
    """Files that may run in a stage, those of its families too; empty ones left out."""
    script = ROOT / "src" / "stages" / STAGES[name]["cmd"].split()[0].removeprefix("${run}/")
    found = closure([script], harmless())
    if found & {SRC / "cofilter" / path for path in BY_NAME}:
        family = TRAINING.get(name)
        found |= closure((MODELS / family if family else MODELS).rglob("*.py"), harmless())
    return {path for path in found if path.stat().st_size}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_all_that_runs_in_it(name: str) -> None:
    undeclared = {
        path.relative_to(ROOT).as_posix()
        for path in running(name) - harmless()
        if not within(path, code(name))
    }
    assert not undeclared


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_nothing_that_it_does_not_run(name: str) -> None:
    unused = {
        str(place) for place in code(name) if not any(within(p, [place]) for p in running(name))
    }
    assert not unused


@pytest.mark.parametrize("name", STAGES)
def test_dependencies_are_folders_and_the_stage_s_scripts(name: str) -> None:
    files = [path for path in code(name) if path.is_file()]
    assert all(path.parent == SRC / "stages" for path in files)
    assert all(path.exists() for path in code(name))


def test_every_family_has_its_stage() -> None:
    """The command trains the family whose folder the stage depends on."""
    assert {name for name in STAGES if name.startswith("train")} == TRAINING.keys()
    for name, family in TRAINING.items():
        assert f"family={family}" in STAGES[name]["cmd"].split()


@pytest.mark.parametrize(("name", "family"), TRAINING.items())
def test_checkpoints_depend_on_the_code_that_the_stage_depends_on(name: str, family: str) -> None:
    declared = {path for path in code(name) if path.is_dir()}
    assert declared == set(folders(family))


def test_what_dvc_would_delete_waits_for_the_check() -> None:
    """Or persists: DVC removes other outputs before the stage can refuse anything."""
    for name, stage in STAGES.items():
        outs = [out if isinstance(out, dict) else {out: {}} for out in stage["outs"]]
        persist = all(flags.get("persist") for out in outs for flags in out.values())
        assert persist or "data/checked.json" in stage["deps"] or name == "check", name


def test_how_values_were_found_is_a_dependency_of_evaluate_alone() -> None:
    """A tuning trains nothing before its values are taken."""
    record = str(TUNED)
    assert (ROOT / record).is_file()
    assert [name for name, stage in STAGES.items() if record in stage["deps"]] == ["evaluate"]


def test_the_check_tracks_all_that_it_reads() -> None:
    read = set()

    class Noting(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            read.add(key)
            return super().__getitem__(key)

    possible_methods(Noting(compose()))
    assert {"points", "blend", "reproduce", "mf", "backtest"} < read
    assert read <= set(STAGES["check"]["params"])


def test_the_graph_can_be_read() -> None:
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) <= 400


def edited(path: Path) -> None:
    """Change a file as somebody who works on it does."""
    if path.suffix == ".py":
        path.write_text(path.read_text(encoding="utf-8") + "\n# Another line.\n", encoding="utf-8")
    else:
        table = pd.read_parquet(path)
        table.loc[0, "title"] = "Another title"
        table.to_parquet(path, index=False)


@pytest.fixture(scope="module")
def workspace(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return finished.copy(tmp_path_factory.mktemp("graph") / "checkout")


LIBRARY, KERNELS = "src/cofilter", "src/cofilter/models/{}/kernels/{}.py"
TRAINED = {"train_baseline@bias", "train_knn@item", "train_mf@biased-4-0"}


@pytest.mark.parametrize(
    ("files", "trained"),
    [
        (
            [
                f"{LIBRARY}/report/charts/comparison.py",
                f"{LIBRARY}/report/samples.py",
                f"{LIBRARY}/console/messages.py",
                "src/stages/messages.py",
                f"{LIBRARY}/tracking/tracker.py",
                "data/items.parquet",
                KERNELS.format("als", "rows"),
                KERNELS.format("bayes", "gibbs"),
            ],
            set(),
        ),
        ([KERNELS.format("mf", "sgd")], {"train_mf@biased-4-0"}),
        ([KERNELS.format("knn", "similarity")], {"train_knn@item"}),
        ([f"{LIBRARY}/recommender/ranking.py"], TRAINED),
    ],
    ids=["nothing that a model depends on", "kernel of mf", "kernel of knn", "recommender"],
)
def test_an_edit_trains_what_depends_on_it(
    files: list[str], trained: set[str], workspace: Checkout
) -> None:
    before = {path: path.read_bytes() for path in (workspace.path / name for name in files)}
    for path in before:
        edited(path)
    changed = json.loads(workspace.dvc("status", "--json").stdout)
    for path, content in before.items():
        path.write_bytes(content)
    assert {name for name in changed if name.startswith("train")} == trained
    assert "check" in changed or "download" in changed  # DVC saw the edits
