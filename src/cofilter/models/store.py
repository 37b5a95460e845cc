"""Saved models: a folder with ``arrays.npz`` and ``model.json``; nothing in it is executed.

A model that is made of others has theirs in sub-folders.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cofilter.config import parse
from cofilter.errors import DataError
from cofilter.io import read_json, write_bytes, write_json
from cofilter.matrix import IdMap
from cofilter.models.base import Recommender
from cofilter.models.bias import Biases

ARRAYS, DESCRIPTION = "arrays.npz", "model.json"
# ImportError and AttributeError: a class that this version of cofilter does not have.
_UNREADABLE = (
    KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile, ImportError, AttributeError
)  # fmt: skip


def save(model: Recommender, folder: Path) -> None:
    """Write a fitted model to ``folder``; equal models give equal bytes."""
    arrays = {
        "users": model.users_.ids,
        "items": model.items_.ids,
        "popularity": model.popularity_,
        "user_bias": model.biases_.user,
        "item_bias": model.biases_.item,
    } | {f"own_{name}": array for name, array in model._arrays().items()}
    content = io.BytesIO()
    # By name: parameters that come from a checkpoint are in another order than fresh ones.
    np.savez(content, allow_pickle=False, **dict(sorted(arrays.items())))
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / ARRAYS, content.getvalue())
    description = {
        "class": f"{type(model).__module__}.{type(model).__qualname__}",
        "cofilter": version("cofilter"),
        "config": model.config.model_dump(mode="json"),
        "scale": list(model.scale_),
        "mean": model.biases_.mean,
        "engine": model.engine_,
        "device": model.device_,
        "data_sha256": model.data_sha256_,
    }
    write_json(folder / DESCRIPTION, description)
    for name, member in model._members().items():
        save(member, folder / name)


def load(folder: str | Path) -> Recommender:
    """Read a model back; it predicts and recommends exactly as the saved one did.

    Raises
    ------
    DataError
        The folder holds no model, a damaged one, or one of a class that cofilter does not have.
    """
    folder = Path(folder)
    description = read_json(folder / DESCRIPTION)
    try:
        model = _new(description)
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            _restore(model, description, dict(arrays))
    except _UNREADABLE as error:
        raise DataError(f"{folder}: not a readable cofilter model ({error!r})") from None
    model._take_members(lambda name: load(folder / name))
    return model


def _new(description: dict[str, Any]) -> Recommender:
    """An unfitted model of the named class; only cofilter's own models are ever imported."""
    module, _, name = description["class"].rpartition(".")
    if not module.startswith("cofilter.models."):
        raise DataError(
            f"model.json names {description['class']!r}, which is not one of cofilter's"
        )
    cls = getattr(importlib.import_module(module), name)
    if not (isinstance(cls, type) and issubclass(cls, Recommender)):
        raise DataError(f"model.json names {description['class']!r}, which is not a model")
    config_class = cls.config_class
    return cls(parse(config_class, description["config"], "config"))


def _restore(model: Recommender, description: dict[str, Any], arrays: dict[str, Any]) -> None:
    model.users_, model.items_ = IdMap(arrays["users"]), IdMap(arrays["items"])
    model.popularity_ = arrays["popularity"]
    model.biases_ = Biases(
        description["mean"],
        arrays["user_bias"],
        arrays["item_bias"],
        model.config.bias.user_regularization,
    )
    model.scale_ = tuple(description["scale"])
    model.engine_, model.device_ = description["engine"], description["device"]
    model.data_sha256_ = description["data_sha256"]
    own = {name.removeprefix("own_"): array for name, array in arrays.items() if name[:4] == "own_"}
    model._restore(own)
