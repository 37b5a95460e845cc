"""Files of a reproduction: the table, and a folder with whatever else was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cofilter.core.io import atomic_path, write_text
from cofilter.recommender.folder import save
from cofilter.reproduction.lab import Findings


def save_findings(table: pd.DataFrame, findings: Findings, target: Path) -> None:
    """Write the table to ``target`` and the rest to a folder beside it, named without the ending.

    In the folder: ``NAME.csv`` of each table, ``NAME/`` of each model, ``NAME/ARRAY.npy`` of each
    group of arrays. It is made also when it stays empty.
    """
    folder = target.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in findings.tables.items():
        write_text(folder / f"{name}.csv", rows.to_csv(index=False))
    for name, model in findings.models.items():
        save(model, folder / name)
    for name, arrays in findings.arrays.items():
        for array, values in arrays.items():
            with atomic_path(folder / name / f"{array}.npy") as part, part.open("wb") as file:
                np.save(file, values, allow_pickle=False)
    write_text(target, table.to_csv(index=False))
