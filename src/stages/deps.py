"""The modules that a stage's script imports, directly or not: what its ``deps`` must name.

``python -m stages.deps`` writes them into dvc.yaml, between the script and the data of each
stage; a test holds that nothing is missing and nothing too much.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

SRC = Path("src")
DVC = Path("dvc.yaml")
# What draws the report, which is no output of DVC's (it shows figures of the clock): a changed
# chart scores no model again. `make report`, and `make repro` at its end, draw the page anew.
DRAWING = (Path("cofilter/evaluation/charts"), Path("cofilter/evaluation/report"))


def closure(script: Path, src: Path = SRC) -> set[Path]:
    """The script and every module under ``src`` that it reaches, imports inside functions too.

    Package ``__init__`` files are left out when they are empty or, as ``cofilter``'s own, import
    nothing until asked. Imports for type checking alone are left out, and what lies in `DRAWING`.
    """
    found: set[Path] = set()
    todo = [script]
    while todo:
        path = todo.pop()
        if path in found or path.relative_to(src).parent in DRAWING:
            continue
        found.add(path)
        todo.extend(file for name in _imports(path) for file in _files(name, src))
    return found


def _imports(path: Path) -> set[str]:
    """Dotted names that a file imports, with each name taken from a module as a possible one."""
    names: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _files(name: str, src: Path) -> list[Path]:
    """The module's file and its packages' ``__init__`` files that hold anything."""
    path = src.joinpath(*name.split("."))
    files = [path.with_suffix(".py"), path / "__init__.py"]
    files += [parent / "__init__.py" for parent in path.parents if src in parent.parents]
    asked_only = src / "cofilter" / "__init__.py"
    return [file for file in files if file != asked_only and file.is_file() and file.stat().st_size]


def update(text: str) -> str:
    """dvc.yaml with each stage's modules listed anew; everything else stays as it is."""
    lines = text.splitlines(keepends=True)
    result: list[str] = []
    script = None
    for line in lines:
        match = re.match(r"    cmd: .*?(\w+)\.py", line)
        script = SRC / "stages" / f"{match[1]}.py" if match else script
        if script and re.match(r"      - src/", line):
            continue
        result.append(line)
        if script and line == "    deps:\n":
            result += [f"      - {path}\n" for path in sorted(closure(script))]
    return "".join(result)


if __name__ == "__main__":
    DVC.write_text(update(DVC.read_text(encoding="utf-8")), encoding="utf-8")
