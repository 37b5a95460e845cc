"""Tables under ``results/`` as they are read back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cofilter.core.columns import TITLE
from cofilter.core.errors import DataError
from cofilter.evaluation.item_map import OTHER_TITLE

# Columns that look like numbers where titles and bands do; "NA" and "None" are titles too.
TEXT = {TITLE: str, OTHER_TITLE: str, "band": str}


def read_csv(path: Path, *, needed: bool) -> pd.DataFrame:
    """A CSV file; when it is absent an empty table, or an error where it is needed."""
    try:
        return pd.read_csv(path, dtype=TEXT, keep_default_na=False, na_values="")
    except FileNotFoundError:
        if needed:
            raise DataError(f"{path}: file not found; run the stage evaluate first") from None
        return pd.DataFrame()
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except ValueError as error:
        raise DataError(f"{path}: not readable as CSV ({error})") from None
