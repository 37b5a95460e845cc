"""A model's factors as plain arrays, for a vector database."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cofilter.core.columns import ITEM, USER
from cofilter.core.io import atomic_path, write_json, write_table
from cofilter.recommender.base import Recommender
from cofilter.recommender.factors import FactorRecommender
from cofilter.recommender.people import UserRows
from cofilter.release.needs import needed

FOLDER = "embeddings"


def write_embeddings(model: Recommender, folder: Path) -> bool:
    """Write a factor model's two sides; gives False, and writes nothing, for another model.

    ``user_embeddings.npy`` and ``item_embeddings.npy``, float32[n, dim]; ``user_biases.npy`` and
    ``item_biases.npy``, float32[n]; ``users.parquet`` and ``items.parquet``, the id of each row;
    ``README.json``, the formula. Score of a pair = mean + user bias + item bias + user · item; a
    constant of the user changes no order, so that an index of (item, item bias) asked with
    (user, 1) ranks as the model does.
    """
    if not isinstance(model, FactorRecommender):
        return False
    needed("pyarrow", "Parquet", "pipeline")
    everybody = np.arange(len(model.users_), dtype=np.int32)
    rows = UserRows(model._user_state(everybody), model._biases.user, everybody)
    user, item, dim = rows.state, model.item_, model.item_.shape[1] - 1
    biased = user.shape[1] > dim  # BPR's users have no bias
    arrays = {
        "user_embeddings": user[:, :dim],
        "item_embeddings": item[:, :dim],
        "user_biases": user[:, dim] if biased else np.zeros(len(user)),
        "item_biases": item[:, dim],
    }
    for name, array in arrays.items():
        with atomic_path(folder / f"{name}.npy") as path, path.open("wb") as target:
            np.save(target, np.ascontiguousarray(array, np.float32))
    write_table(folder / "users.parquet", pd.DataFrame({USER: model.users_.ids}))
    write_table(folder / "items.parquet", pd.DataFrame({ITEM: model.items_.ids}))
    unit, zero = model._learning.unit, model._learning.zero
    scale = {"unit": unit, "zero": zero} if model._ranks_by_ratings else {"unit": 1.0, "zero": 0.0}
    write_json(
        folder / "README.json",
        {
            "score": "zero + unit * (mean + user_bias + item_bias + user . item)",
            "mean": float(model._mean),
            **scale,
            "clipped_to": list(model.scale_) if model.predicts_ratings else None,
            "dim": dim,
        },
    )
    return True
