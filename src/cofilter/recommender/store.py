"""Saved models: a folder with ``arrays.npz`` and ``model.json``; nothing in it is executed.

A model that is made of others has theirs in sub-folders.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from cofilter.core.config import Config, parse
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.io import read_json, write_bytes, write_json
from cofilter.core.matrix import IdMap
from cofilter.recommender.base import Recommender
from cofilter.recommender.bias import Biases
from cofilter.recommender.sparse import ItemLists

ARRAYS, DESCRIPTION = "arrays.npz", "model.json"
FORMAT = 2  # raised when a folder is written that an earlier version could not read
_SEEN = ("seen_start", "seen_item")


class Description(Config):
    """Content of ``model.json``.

    Attributes
    ----------
    format:
        Version of the folder's layout.
    family, model:
        The model's class and the package that it is from.
    cofilter:
        Version of the library that wrote it.
    config:
        All hyper-parameters.
    mean:
        Mean rating of the data.
    scale, engine, device, data_sha256:
        As the fitted model has them.
    """

    format: int
    family: str = Field(pattern=r"^[a-z]\w*$")
    model: str = Field(pattern=r"^[A-Z]\w*$")
    cofilter: str
    config: dict[str, Any]
    scale: tuple[float, float]
    mean: float
    engine: str
    device: str
    data_sha256: str


class _Arrays(dict[str, np.ndarray]):
    """A file's arrays; one that is missing is an error that names the file."""

    def __init__(self, path: Path, arrays: dict[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self._path = path

    def __missing__(self, name: str) -> np.ndarray:
        raise DataError(f"{self._path}: holds no array {name!r}")


def save(model: Recommender, folder: Path) -> None:
    """Write a fitted model to ``folder``; equal models give equal bytes."""
    arrays = {
        "users": model.users_.ids,
        "items": model.items_.ids,
        "popularity": model.popularity_,
        "user_bias": model.biases_.user,
        "item_bias": model.biases_.item,
    } | {f"own_{name}": array for name, array in model._arrays().items()}
    if model.seen_ is not None and not model.holds_histories:
        arrays |= dict(zip(_SEEN, model.seen_, strict=True))
    content = io.BytesIO()
    # By name: parameters that come from a checkpoint are in another order than fresh ones.
    np.savez(content, allow_pickle=False, **dict(sorted(arrays.items())))
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / ARRAYS, content.getvalue())
    description = Description(
        format=FORMAT,
        family=model.family,
        model=type(model).__name__,
        cofilter=version("cofilter"),
        config=model.config.model_dump(mode="json"),
        scale=model.scale_,
        mean=model.biases_.mean,
        engine=model.engine_,
        device=model.device_,
        data_sha256=model.data_sha256_,
    )
    write_json(folder / DESCRIPTION, description.model_dump(mode="json"))
    for name, member in model._members().items():
        save(member, folder / name)


def load(folder: str | Path) -> Recommender:
    """Read a model back; it predicts and recommends exactly as the saved one did.

    Raises
    ------
    DataError
        The folder holds no model, a damaged one, one of a class that cofilter does not have, or
        one that a newer version has written.
    """
    folder = Path(folder)
    description = _description(folder / DESCRIPTION)
    model = _unfitted(description, folder / DESCRIPTION)
    _restore(model, description, _read_arrays(folder / ARRAYS))
    model._take_members(lambda name: load(folder / name))
    return model


def _description(path: Path) -> Description:
    values = read_json(path)
    if not isinstance(values, dict) or not isinstance(values.get("format"), int):
        raise DataError(f"{path}: not a cofilter model of a format that this version reads")
    if values["format"] > FORMAT:
        raise DataError(
            f"{path}: format {values['format']}, written by cofilter {values.get('cofilter')}; "
            f"this is cofilter {version('cofilter')}, which reads up to format {FORMAT}: install "
            "the newer version"
        )
    if values["format"] < FORMAT:
        raise DataError(f"{path}: format {values['format']} is no longer read; train it again")
    try:
        return parse(Description, values)
    except ConfigError as error:
        raise DataError(f"{path}: not a readable cofilter model ({error})") from None


def _unfitted(description: Description, path: Path) -> Recommender:
    """An unfitted model of the named class; only cofilter's own models are ever imported."""
    module = f"cofilter.models.{description.family}.model"
    named = f"{path}: names the model {description.family}/{description.model}"
    if importlib.util.find_spec("cofilter.models." + description.family) is None:
        raise DataError(f"{named}, a family that this version of cofilter does not have")
    cls = getattr(importlib.import_module(module), description.model, None)
    if not (isinstance(cls, type) and issubclass(cls, Recommender)):
        raise DataError(f"{named}, which this version of cofilter does not have")
    try:
        return cls(parse(cls.config_class, description.config, "config"))
    except ConfigError as error:
        raise DataError(f"{path}: {error}") from None


def _read_arrays(path: Path) -> _Arrays:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _Arrays(path, dict(arrays))
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable as a model's arrays ({error})") from None


def _restore(model: Recommender, description: Description, arrays: _Arrays) -> None:
    model.users_, model.items_ = IdMap(arrays["users"]), IdMap(arrays["items"])
    model.popularity_ = arrays["popularity"]
    model.biases_ = Biases(
        description.mean,
        arrays["user_bias"],
        arrays["item_bias"],
        model.config.bias.user_regularization,
    )
    model.scale_ = description.scale
    model.engine_, model.device_ = description.engine, description.device
    model.data_sha256_ = description.data_sha256
    if _SEEN[0] in arrays:
        model.seen_ = ItemLists(*(arrays[name] for name in _SEEN))
    own = {name.removeprefix("own_"): array for name, array in arrays.items() if name[:4] == "own_"}
    model._restore(_Arrays(arrays._path, own))
