from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cofilter.core.errors import DataError
from cofilter.core.io import read_json
from cofilter.core.parts import Parts, load_parts, save_parts
from tests.preparation.logs import log

PARTS = Parts(
    log([("007", "a", 5.0, 1)], string_ids=True),
    log([("8", "b", 4.0, 2)], string_ids=True),
    log([("007", "c", 0.5, 3)], string_ids=True),
)


def test_round_trip(tmp_path: Path) -> None:
    save_parts(PARTS, {"kind": "random"}, tmp_path / "split")
    loaded = load_parts(tmp_path / "split")
    for (name, before), (same, after) in zip(PARTS.named(), loaded.named(), strict=True):
        assert name == same
        pd.testing.assert_frame_equal(before, after)
    assert read_json(tmp_path / "split" / "audit.json") == {"kind": "random"}


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    save_parts(PARTS, {}, tmp_path)
    (tmp_path / "validation.parquet").unlink()
    with pytest.raises(DataError, match=r"validation\.parquet"):
        load_parts(tmp_path)
