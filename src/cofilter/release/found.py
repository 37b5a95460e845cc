"""Models by name: those of a checkout, and folders that lie alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cofilter.core.errors import DataError
from cofilter.core.io import read_json
from cofilter.core.paths import BLENDED, MODELS, RESULTS
from cofilter.recommender.folder import DESCRIPTION
from cofilter.release.checkout import GRAPH, home
from cofilter.release.opened import Opened, model_name, open_model

BEST = "best"  # the model to ship, or the only one there is
FACTS = RESULTS / "facts.json"


def known_models(where: Path) -> dict[str, Path]:
    """Folders of models by name, sorted.

    In a checkout ``family/point`` for what was trained there; elsewhere the folder itself, when it
    is a model's, and those directly in it, by their names.
    """
    if (where / GRAPH).is_file():
        found = {model_name(path.parent): path.parent for path in _described(where / MODELS, "*/*")}
        if (where / BLENDED / DESCRIPTION).is_file():
            found[model_name(where / BLENDED)] = where / BLENDED
        return dict(sorted(found.items()))
    if (where / DESCRIPTION).is_file():
        return {model_name(where): where}
    return {path.parent.name: path.parent for path in _described(where, "*")}


def shipped(where: Path) -> dict[str, Any] | None:
    """What the last evaluation of a checkout chose to ship, as its facts say; None without one."""
    path = where / FACTS
    chosen: dict[str, Any] | None = read_json(path)["shipped"] if path.is_file() else None
    return chosen


def find_model(name: str, where: Path) -> tuple[str, Path]:
    """The name and folder of ``best``, of a known model or of a folder that a path names.

    Raises
    ------
    DataError
        There is no such model; the line says which there are.
    """
    known = known_models(where)
    if name == BEST:
        chosen = shipped(where)
        if chosen is not None:
            best = f"{chosen['family']}/{chosen['point']}"
            if best not in known:
                raise DataError(f"{best} is to ship, but its folder is missing: `make repro`")
            return best, known[best]
        if len(known) == 1:
            return next(iter(known.items()))
    if name in known:
        return name, known[name]
    folder = Path(name).expanduser()
    if (folder / DESCRIPTION).is_file():
        return model_name(folder), folder
    raise DataError(_none_of(name, known, where))


def open_named(name: str, where: Path | None = None) -> Opened:
    """Open a model by what `find_model` takes; ``where`` is `home` when it is not given."""
    found, folder = find_model(name, where or home())
    return open_model(folder, found)


def _described(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(f"{pattern}/{DESCRIPTION}"))


def _none_of(name: str, known: dict[str, Path], where: Path) -> str:
    if not known:
        there = f"there is no model in {where}: `make repro` in a checkout, or a model's folder"
    elif name == BEST:
        there = f"nothing says which of the models is the best: {', '.join(known)}"
    else:
        there = f"there are {', '.join(known)}, or a model's folder"
    return there if name == BEST else f"no model {name!r}: {there}"
