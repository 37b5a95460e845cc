"""The house: packages in one order, no circle of files, families apart from each other."""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.imports import FACADE, SRC, arrows, imported

HOUSE = SRC / "cofilter"
# From top to bottom; a package imports from itself and from those below it. Imports for types
# alone count: what a signature names is known to its package.
PACKAGES = (
    "cli",
    "serving",
    "report",
    "release",
    "reproduction",
    "search",
    "backtest",
    "evaluation",
    "blending",
    "training",
    "reranking",
    "scoring",
    "models",
    "recommender",
    "onboarding",
    "preparation",
    "sources",
    "metrics",
    "tracking",
    "console",
    "core",
)
MODULES = sorted(path for path in HOUSE.rglob("*.py") if path != FACADE)
# Where a module is imported by a name that is made at run time: families by their folder, commands
# when they are called, and libraries of extras.
BY_NAME = {"cli/main.py", "recommender/store.py", "release/needs.py", "training/families.py"}


def place(path: Path) -> tuple[str, ...]:
    """Folders and file of a module, from the package on."""
    return path.relative_to(HOUSE).parts


def label(path: Path) -> str:
    return "/".join(place(path))


def test_the_packages_are_those_of_the_list() -> None:
    assert {place(path)[0] for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_imports_point_downwards(path: Path) -> None:
    level = PACKAGES.index(place(path)[0])
    upwards = {label(to) for to in arrows(path) if PACKAGES.index(place(to)[0]) < level}
    assert not upwards


def test_no_circle_of_files() -> None:
    try:
        TopologicalSorter({path: arrows(path) for path in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(label(path) for path in error.args[1]))


@pytest.mark.parametrize(
    "path", [path for path in MODULES if place(path)[0] == "models"], ids=label
)
def test_families_do_not_import_each_other(path: Path) -> None:
    others = {label(to) for to in arrows(path) if place(to)[:2] != place(path)[:2]}
    assert not {name for name in others if name.startswith("models/")} - {"models/__init__.py"}


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_the_library_knows_no_pipeline(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert "" not in tops, "relative import"
    assert not tops & {"hydra", "omegaconf", "dvc", "stages", "tests", "benchmarks"}
    assert "cofilter" not in imported(path), "imports the library's face"


def test_no_other_module_is_imported_by_name() -> None:
    """Other arrows stand in an import, where these tests see them."""
    dynamic = ("import_module(", "__import__(")
    found = {label(path) for path in MODULES if any(call in path.read_text() for call in dynamic)}
    assert found == BY_NAME


@pytest.mark.parametrize("path", sorted((HOUSE / "metrics").glob("*.py")), ids=label)
def test_metrics_know_numpy_alone(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert tops - set(sys.stdlib_module_names) <= {"numpy"}


def test_package_files_are_empty() -> None:
    filled = {path for path in SRC.rglob("__init__.py") if path.read_text(encoding="utf-8").strip()}
    assert filled == {FACADE}
