"""Tables with rows of every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd


def joined(by_model: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The models' tables under each other, named ``family/point``, with these columns.

    ``columns`` begin with model and family, which the tables lack. The header alone for none.
    """
    named = [
        table.assign(model=name, family=name.partition("/")[0])
        for name, table in by_model.items()
        if len(table)
    ]
    table = pd.concat(named, ignore_index=True) if named else pd.DataFrame(columns=list(columns))
    return table[list(columns)]
