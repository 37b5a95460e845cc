"""What code a checkpoint belongs to: the folders that the train stage declares, and no others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

import cofilter.training.code as code
from cofilter.models.als.model import ImplicitALS
from cofilter.models.bpr.model import BPR
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.recommender.learner import Learner, Task, Trained
from cofilter.training.code import code_sha256, folders
from cofilter.training.families import families
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.contract import ratings_table

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that the code's hash is taken of, to be edited."""
    copy = tmp_path / "cofilter"
    shutil.copytree(code.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", copy)
    return copy


def append(path: Path) -> None:
    assert path.exists()
    path.write_text(path.read_text() + "# edited\n")


def swap(package: Path) -> None:
    """Two modules change names, so that only the pairs of name and content are others."""
    one, other = package / "models/als/model.py", package / "models/als/learner.py"
    one_text, other_text = one.read_text(), other.read_text()
    one.write_text(other_text)
    other.write_text(one_text)


EDITS: dict[str, Callable[[Path], object]] = {
    "a module of the family": lambda package: append(package / "models/als/learner.py"),
    "a kernel of the family": lambda package: append(package / "models/als/kernels/rows.py"),
    "a new module": lambda package: (package / "models/als/more.py").write_text(""),
    "a module less": lambda package: (package / "models/als/config.py").unlink(),
    "names swapped": swap,
    **{
        f"{name}/{module}": lambda package, name=name, module=module: append(
            package / name / module
        )
        for name, module in (
            ("core", "matrix.py"), ("metrics", "ranking.py"), ("recommender", "base.py"),
            ("recommender", "kernels/topk.py"), ("scoring", "scores.py"), ("training", "loop.py"),
        )
    },
}  # fmt: skip
UNRELATED = [
    "models/bpr/learner.py", "models/ensemble/model.py", "models/__init__.py",
    "report/page.py", "tracking/tracker.py", "evaluation/evaluate.py", "console/messages.py",
    "preparation/split.py", "blending/blend.py", "search/search.py", "__init__.py",
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_decides_a_training_changes_its_hash(edit: str, package: Path) -> None:
    before = code_sha256("als")
    assert len(before) == 64
    assert code_sha256("als") == before
    EDITS[edit](package)
    assert code_sha256("als") != before


@pytest.mark.parametrize("module", UNRELATED)
def test_an_edit_elsewhere_does_not(module: str, package: Path) -> None:
    before = code_sha256("als")
    append(package / module)
    (package / "models/als/__pycache__").mkdir()
    (package / "models/als/__pycache__/model.cpython-311.pyc").write_bytes(b"compiled")
    assert code_sha256("als") == before


def test_the_hash_is_that_of_the_installed_code_wherever_it_lies(package: Path) -> None:
    copied = {family: code_sha256(family) for family in families()}
    assert len(set(copied.values())) == len(copied)
    code.PACKAGE = Path(code.__file__).parents[1]  # until monkeypatch sets it back
    assert {family: code_sha256(family) for family in families()} == copied


class Counting(Trainer):
    """Counts the epochs that are really run."""

    def run(self, learner: Learner, task: Task) -> Trained:
        self.ran, run_epoch = [], learner.run_epoch

        def counted(epoch: int, tick: Callable[[int], None]) -> float:
            self.ran.append(epoch)
            return run_epoch(epoch, tick)

        learner.run_epoch = counted  # type: ignore[method-assign]
        return super().run(learner, task)


def epochs_run(model: IterativeRecommender, table: pd.DataFrame, checkpoints: Path) -> list[int]:
    trainer = Counting(CheckpointConfig(every_seconds=0, resume="auto"), checkpoints)
    model.fit(table, trainer=trainer)
    return trainer.ran


@pytest.mark.parametrize("module", ["models/als/model.py", "recommender/factors.py"])
def test_a_checkpoint_of_other_code_is_not_used(module: str, package: Path, tmp_path: Path) -> None:
    table, checkpoints = ratings_table(), tmp_path / "checkpoints"
    make = {
        "als": lambda: ImplicitALS(dim=3, epochs=3, patience=None),
        "bpr": lambda: BPR(dim=3, epochs=3, patience=None),
    }
    for model in make.values():
        assert epochs_run(model(), table, checkpoints) == [1, 2, 3]
        assert epochs_run(model(), table, checkpoints) == []
    append(package / module)
    assert epochs_run(make["als"](), table, checkpoints) == [1, 2, 3]
    shared = module.startswith("recommender")
    assert epochs_run(make["bpr"](), table, checkpoints) == ([1, 2, 3] if shared else [])


def test_train_stages_declare_the_same_folders() -> None:
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    library = REPOSITORY / "src" / "cofilter"
    trained = {name.removeprefix("train_") for name in stages if name.startswith("train_")}
    assert trained == set(families())
    for family in trained:
        declared = [REPOSITORY / path for path in stages[f"train_{family}"]["deps"]]
        assert {path for path in declared if library in path.parents} == set(folders(family))
        assert all(folder.is_dir() for folder in folders(family))
