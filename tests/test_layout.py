"""Imports point one way (docs and design: the house)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
# A module may import from its own group and from those after it.
ORDER = (
    ("evaluation", "reproduction", "training", "preparation", "search", "sources", "tracking"),
    ("models", "ranking", "metrics"),
    ("matrix", "kernels"),
    ("io", "config", "paths", "progress", "memory"),
    ("columns", "errors"),
)
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
MODULES = sorted(path for path in (SRC / "cofilter").rglob("*.py") if path.name != "__init__.py")


def imported(path: Path) -> set[str]:
    """Dotted names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(str(node.module))
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def part(name: str) -> str | None:
    """The part of cofilter that a dotted name belongs to."""
    package, _, rest = name.partition(".")
    return rest.split(".")[0] if package == "cofilter" and rest.split(".")[0] in LEVEL else None


def test_every_module_has_its_place() -> None:
    parts = {path.relative_to(SRC / "cofilter").parts[0].removesuffix(".py") for path in MODULES}
    assert parts <= LEVEL.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(SRC / "cofilter").parts[0].removesuffix(".py")
    names = imported(path)
    upwards = {name for name in names if (of := part(name)) and LEVEL[of] < LEVEL[own]}
    assert not upwards
    tops = {name.split(".")[0] for name in names}
    assert not tops & {"hydra", "omegaconf", "dvc", "stages", "tests"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name == "metrics"], ids=lambda path: path.name
)
def test_metrics_know_numpy_only(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert tops - set(sys.stdlib_module_names) - {"__future__"} <= {"numpy", "cofilter"}
    assert {name.split(".")[1] for name in imported(path) if name.startswith("cofilter.")} <= {
        "metrics",
        "errors",
    }


def test_package_files_are_empty() -> None:
    """Except cofilter's own (load, __version__) and the kernels' (where their cache lies)."""
    filled = {path.parent.name for path in SRC.rglob("__init__.py") if path.read_text().strip()}
    assert filled == {"cofilter", "kernels"}
