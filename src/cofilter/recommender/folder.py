"""A saved model's folder: its arrays and ``model.json``; nothing in it is executed.

The arrays are one file ``arrays.npz``, or a folder ``arrays`` with a file each, which processes map
into memory and share. A model that is made of others has theirs in sub-folders.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from cofilter.core.config import Config
from cofilter.core.io import json_sha256, packed, write_bytes, write_json
from cofilter.recommender.contract import Contract

ARRAYS, MAPPED, DESCRIPTION = "arrays.npz", "arrays", "model.json"
FORMAT = 6  # raised when a folder is written that an earlier version could not read
WEIGHT_MEAN = "weight_mean"  # array of one number, of models that were fitted with weights


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
        Mean rating of the data on the learned scale, as all learned arrays are.
    user_regularization:
        That of the user biases, which folding in a user needs.
    scale, engine, device, data_sha256:
        As the fitted model has them.
    epochs:
        Epochs that it was trained for, which a refit repeats; None of a model without epochs.
    sha256:
        See `signature`.
    """

    format: int
    family: str = Field(pattern=r"^[a-z]\w*$")
    model: str = Field(pattern=r"^[A-Z]\w*$")
    cofilter: str
    config: dict[str, Any]
    scale: tuple[float, float]
    mean: float
    user_regularization: float = Field(ge=0)
    engine: str
    device: str
    data_sha256: str
    epochs: int | None
    sha256: str


def save(model: Contract, folder: Path, *, mapped: bool = False) -> None:
    """Write a fitted model to ``folder``; equal models give equal bytes.

    ``mapped``: with a file for each array, which `load` maps into memory instead of reading it.
    """
    arrays = {
        "users": model.users_.ids,
        "items": model.items_.ids,
        "popularity": model.popularity_,
        "user_bias": model._biases.user,
        "item_bias": model._biases.item,
    } | {f"own_{name}": array for name, array in model._arrays().items()}
    arrays |= model._history_arrays()
    if model.weight_mean_ is not None:
        arrays[WEIGHT_MEAN] = np.array(model.weight_mean_)
    # By name: parameters that come from a checkpoint are in another order than fresh ones.
    plain = dict(sorted(packed(arrays).items()))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / MAPPED, ignore_errors=True)  # of another model, or of another form
    if mapped:
        (folder / ARRAYS).unlink(missing_ok=True)
        for name, array in plain.items():
            write_bytes(folder / MAPPED / f"{name}.npy", _bytes_of(np.save, np.asarray(array)))
    else:
        write_bytes(folder / ARRAYS, _bytes_of(np.savez, **plain))
    description = Description(
        format=FORMAT,
        family=model.family,
        model=type(model).__name__,
        cofilter=version("cofilter"),
        config=model.config.model_dump(mode="json"),
        scale=model.scale_,
        mean=model._biases.mean,
        user_regularization=model._biases.user_regularization,
        engine=model.engine_,
        device=model.device_,
        data_sha256=model.data_sha256_,
        epochs=model.epochs_,
        sha256="",
    )
    values = description.model_dump(mode="json")
    write_json(folder / DESCRIPTION, values | {"sha256": signature(values, folder)})
    for name, member in model._members().items():
        save(member, folder / name, mapped=mapped)


def signature(values: Mapping[str, Any], folder: Path) -> str:
    """SHA-256 over a description, without this, and over the list of the arrays beside it.

    The list has each array's size and, in ``arrays.npz``, the CRC-32 that is compared when it is
    read. To read mapped arrays only for that would undo the mapping; the checksums of an exported
    folder cover their bytes.
    """
    if (folder / MAPPED).is_dir():
        files = sorted((folder / MAPPED).glob("*.npy"))
        listed = [[path.name, path.stat().st_size] for path in files]
    else:
        with zipfile.ZipFile(folder / ARRAYS) as arrays:
            listed = [[each.filename, each.file_size, each.CRC] for each in arrays.infolist()]
    described = {name: value for name, value in values.items() if name != "sha256"}
    return json_sha256([described, listed])


def _bytes_of(write: Callable[..., None], *arrays: np.ndarray, **named: np.ndarray) -> bytes:
    content = io.BytesIO()
    write(content, *arrays, allow_pickle=False, **named)
    return content.getvalue()
