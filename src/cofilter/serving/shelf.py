"""The models that are served, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cofilter.core.errors import ConfigError, DataError
from cofilter.recommender.kernels.threads import threads_held_back
from cofilter.release.indexed import When, search_by_index
from cofilter.release.opened import Opened, open_model
from cofilter.serving.problems import Problem


@dataclass(frozen=True)
class Shelf:
    """Opened models by name, and the one that answers where none is named."""

    models: Mapping[str, Opened]
    default: str

    def named(self, name: str | None) -> Opened:
        """A model; a name is looked up among the opened ones and is never a path."""
        try:
            return self.models[self.default if name is None else name]
        except KeyError:
            known = ", ".join(self.models)
            raise Problem(404, "model", f"no model of this name is served ({known})") from None


def open_shelf(folders: Sequence[Path], default: str | None = None, index: When = "auto") -> Shelf:
    """Open the models in some folders, as memory that processes forked from this one share.

    A folder that is a link has the link's name, so that it stays when the link is switched.

    Parameters
    ----------
    index:
        When a model ranks by its folder's index, as `search_by_index` takes it.

    Raises
    ------
    DataError
        A folder holds no whole model, or two have one name.
    ConfigError
        There is no folder, or none of the default's name.
    """
    if not folders:
        raise ConfigError("serve: at least one model folder is expected")
    models: dict[str, Opened] = {}
    for folder in folders:
        # What a link points to is read once: a switch in the midst of it mixes no two models.
        with threads_held_back():
            opened = open_model(folder.resolve(), folder.name if folder.is_symlink() else None)
            search_by_index(opened, index)
            opened.model.prepare()
        if opened.name in models:
            raise DataError(f"{folder}: {models[opened.name].folder} is named {opened.name!r} too")
        models[opened.name] = opened
    chosen = next(iter(models)) if default is None else default
    if chosen not in models:
        raise ConfigError(f"default: {chosen!r} is none of the models {', '.join(models)}")
    return Shelf(models, chosen)
