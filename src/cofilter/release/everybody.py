"""Everybody's list, written block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from cofilter.core.io import atomic_path
from cofilter.recommender.base import Recommender
from cofilter.release.needs import needed

BLOCK = 10_000  # users whose lists are in memory at once


def recommend_all(model: Recommender, target: Path, k: int = 10) -> int:
    """Write the k best items of every known user as Parquet; gives the number of rows.

    Columns user_id, item_id, rank (from 1) and score, a row a recommendation, users in ascending
    order of their ids; what a user has rated is left out. The file is whole or not there.

    Raises
    ------
    CapabilityError
        The model does not rank, or does not know what its users have rated.
    """
    pyarrow = needed("pyarrow", "Parquet", "pipeline")
    parquet = needed("pyarrow.parquet", "Parquet", "pipeline")
    n_rows, writer = 0, None
    with atomic_path(target) as path:
        for frame in _frames(model, k):
            table = pyarrow.Table.from_pandas(frame, preserve_index=False)
            writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
            n_rows += len(frame)
        if writer is not None:
            writer.close()
    return n_rows


def _frames(model: Recommender, k: int) -> Iterator[pd.DataFrame]:
    users = model.users_.ids
    starts = range(0, len(users), BLOCK)
    for start in tqdm(starts, desc="recommend", unit="block", disable=None, delay=2):
        frame = model.recommend(users[start : start + BLOCK], k, as_frame=True)
        yield frame.assign(rank=frame["rank"].astype(np.int32))
