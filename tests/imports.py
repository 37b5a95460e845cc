"""What a Python file of ours imports, read from its text: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator
from functools import cache
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
FACADE = SRC / "cofilter" / "__init__.py"  # imports a name when it is first used, so nothing itself


def module_file(name: str) -> Path | None:
    """The file of one of our modules or packages; None for other dotted names."""
    place = SRC.joinpath(*name.split("."))
    found = (place / "__init__.py", place.with_suffix(".py"))
    return next((path for path in found if path.is_file()), None)


@cache
def imported(path: Path, types: bool = True) -> frozenset[str]:
    """Dotted names that a file imports, inside functions too; ``from a import b`` gives a, a.b.

    ``types`` takes in what stands under ``if TYPE_CHECKING``, which is never run.
    """
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")), types))


@cache
def arrows(path: Path, types: bool = True) -> frozenset[Path]:
    """Our own files that a file imports; those of the packages around a module come along."""
    found = set()
    for name in imported(path, types):
        steps = name.split(".")
        prefixes = (".".join(steps[: end + 1]) for end in range(len(steps)))
        found |= {file for prefix in prefixes if (file := module_file(prefix))}
    return frozenset(found - {path, FACADE})


def closure(start: Iterable[Path], leaves: Container[Path] = ()) -> set[Path]:
    """Our own files that may run when these do; what ``leaves`` import is left out."""
    found, rest = set[Path](), list(start)
    while rest:
        path = rest.pop()
        if path not in found:
            found.add(path)
            rest += () if path in leaves else arrows(path, types=False)
    return found


def _names(node: ast.AST, types: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." * node.level + (node.module or "")
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not types:
        for child in node.orelse:
            yield from _names(child, types)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _names(child, types)
