"""Models read back from their folders, by the class that each names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cofilter.core.config import parse
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.io import read_json, unpacked
from cofilter.core.matrix import IdMap
from cofilter.recommender.base import Recommender
from cofilter.recommender.bias import Biases
from cofilter.recommender.folder import (
    ARRAYS,
    DESCRIPTION,
    FORMAT,
    MAPPED,
    WEIGHT_MEAN,
    Description,
    signature,
)

# What NumPy and zipfile raise of a damaged file; nothing of ours runs while it is read.
_UNREADABLE = (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class _Arrays(dict[str, np.ndarray]):
    """A file's arrays; one that is missing is an error that names the file."""

    def __init__(self, path: Path, arrays: dict[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self._path = path

    def __missing__(self, name: str) -> np.ndarray:
        raise DataError(f"{self._path}: holds no array {name!r}")


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
    mapped = folder / MAPPED
    arrays = _mapped_arrays(mapped) if mapped.is_dir() else _read_arrays(folder / ARRAYS)
    _check_signature(description, folder)
    _restore(model, description, arrays)
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


def _check_signature(description: Description, folder: Path) -> None:
    if description.sha256 != signature(description.model_dump(mode="json"), folder):
        arrays = MAPPED if (folder / MAPPED).is_dir() else ARRAYS
        raise DataError(
            f"{folder / DESCRIPTION}: does not fit its checksum: it or {folder / arrays} is "
            "damaged, or of another model; take the folder from where it came, or train again"
        )


def _unfitted(description: Description, path: Path) -> Recommender:
    """An unfitted model of the named class; only cofilter's own models are ever imported."""
    family = f"cofilter.models.{description.family}"
    named = f"{path}: names the model {description.family}/{description.model}"
    if (
        importlib.util.find_spec(family) is None
        or importlib.util.find_spec(f"{family}.model") is None
    ):
        raise DataError(f"{named}, a family that this version of cofilter does not have")
    cls = getattr(importlib.import_module(f"{family}.model"), description.model, None)
    # A family's module has base classes too; they are of no family, or abstract.
    if not (isinstance(cls, type) and issubclass(cls, Recommender)) or (
        getattr(cls, "family", None) != description.family or inspect.isabstract(cls)
    ):
        raise DataError(f"{named}, which this version of cofilter does not have")
    try:
        return cls(parse(cls.config_class, description.config, "config"))
    except ConfigError as error:
        raise DataError(f"{path}: {error}") from None


def _read_arrays(path: Path) -> _Arrays:
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            raise ValueError("a single array")
        with stored as arrays:
            return _Arrays(path, unpacked(dict(arrays)))
    except _UNREADABLE as error:
        raise DataError(f"{path}: not readable as a model's arrays ({error})") from None


def _mapped_arrays(folder: Path) -> _Arrays:
    """A file's array each, as pages of memory that all processes share until one writes there.

    They count as writable: Numba compiles a kernel a second time for arrays that are not.
    """
    arrays: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.npy")):
        try:
            mapped = np.load(path, mmap_mode="c", allow_pickle=False)
            arrays[path.stem] = mapped.view(np.ndarray)
        except _UNREADABLE as error:
            raise DataError(f"{path}: not readable as a model's array ({error})") from None
    try:
        return _Arrays(folder, unpacked(arrays))
    except ValueError as error:
        raise DataError(f"{folder}: not readable as a model's arrays ({error})") from None


def _restore(model: Recommender, description: Description, arrays: _Arrays) -> None:
    model.users_, model.items_ = IdMap(arrays["users"]), IdMap(arrays["items"])
    model.popularity_ = arrays["popularity"]
    sizes = {"popularity": model.items_, "item_bias": model.items_, "user_bias": model.users_}
    for name, ids in sizes.items():
        if len(arrays[name]) != len(ids):
            raise DataError(
                f"{arrays._path}: {name} has {len(arrays[name])} values, {len(ids)} are expected"
            )
    model._biases = Biases(
        description.mean,
        arrays["user_bias"],
        arrays["item_bias"],
        description.user_regularization,
    )
    model.scale_ = description.scale
    model._learning = model._learning_scale()
    model.engine_, model.device_ = description.engine, description.device
    model.data_sha256_, model.epochs_ = description.data_sha256, description.epochs
    if WEIGHT_MEAN in arrays:
        model.weight_mean_ = float(arrays[WEIGHT_MEAN])
    own = {name.removeprefix("own_"): array for name, array in arrays.items() if name[:4] == "own_"}
    model._restore(_Arrays(arrays._path, own))
    model._take_histories(arrays)
