"""The table of a reproduction: each figure as published and as measured again."""

from __future__ import annotations

import pandas as pd

from cofilter.reproduction.config import Line, ReproduceConfig
from cofilter.reproduction.lab import Figure

COLUMNS = [
    "system", "claim", "what", "metric", "published", "reproduced", "model", "column", "note",
]  # fmt: skip
OTHER_DATA = "published on"  # begins the note of a figure that another data set gave
NOT_MEASURED = "not measured here"


def reproduction_table(config: ReproduceConfig, figures: list[Figure], data: str) -> pd.DataFrame:
    """One row a figure: the configured lines in their order, then what else was measured.

    Parameters
    ----------
    figures:
        What the procedure measured.
    data:
        Name of the data set that it ran on. A figure that was published on another one keeps its
        row, and the note leaves the comparison open.

    Returns
    -------
    The `COLUMNS`; only they without a system.
    """
    measured = {(figure.what, figure.metric): figure for figure in figures}
    lines = {(line.what, line.metric): line for line in config.lines}
    keys = [*lines, *(key for key in measured if key not in lines)]
    rows = [_row(config, key, lines.get(key), measured.get(key), data) for key in keys]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(
    config: ReproduceConfig,
    key: tuple[str, str],
    line: Line | None,
    figure: Figure | None,
    data: str,
) -> dict[str, str | float | None]:
    line = line or Line(what=key[0], metric=key[1])
    origin = line.data or config.data
    notes = []
    if line.published is not None and origin != data:
        notes.append(f"{OTHER_DATA} {origin}, measured on {data}: the comparison is open")
    notes.append(NOT_MEASURED if figure is None else figure.note)
    return {
        "system": config.system,
        "claim": line.claim or config.claim,
        "what": line.what,
        "metric": line.metric,
        "published": line.published,
        "reproduced": None if figure is None else figure.value,
        "model": line.model,
        "column": line.column,
        "note": "; ".join(note for note in notes if note),
    }
