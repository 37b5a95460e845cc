from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.errors import DataError
from cofilter.core.io import read_json, write_table
from cofilter.core.parts import Parts, content_sha256, load_parts, save_parts
from tests.preparation.logs import log

PARTS = Parts(
    log([("007", "a", 5.0, 1)], string_ids=True),
    log([("8", "b", 4.0, 2)], string_ids=True),
    log([("007", "c", 0.5, 3)], string_ids=True),
)


AUDIT = {"parts": {name: {"sha256": content_sha256(table)} for name, table in PARTS.named()}}


def test_round_trip(tmp_path: Path) -> None:
    save_parts(PARTS, AUDIT, tmp_path / "split")
    loaded = load_parts(tmp_path / "split")
    for (name, before), (same, after) in zip(PARTS.named(), loaded.named(), strict=True):
        assert name == same
        pd.testing.assert_frame_equal(before, after)
    assert read_json(tmp_path / "split" / "audit.json") == AUDIT


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    save_parts(PARTS, AUDIT, tmp_path)
    (tmp_path / "validation.parquet").unlink()
    with pytest.raises(DataError, match=r"validation\.parquet"):
        load_parts(tmp_path)


def test_other_rows_than_the_audit_states_are_refused(tmp_path: Path) -> None:
    """One changed id would train another model."""
    save_parts(PARTS, AUDIT, tmp_path)
    write_table(tmp_path / "train.parquet", PARTS.train.assign(item_id="b"))
    with pytest.raises(DataError, match=r"train\.parquet: not the rows that audit\.json beside it"):
        load_parts(tmp_path)


def test_an_audit_without_hashes_is_refused(tmp_path: Path) -> None:
    save_parts(PARTS, {"kind": "random"}, tmp_path)
    with pytest.raises(DataError, match=r"audit\.json: states no hashes"):
        load_parts(tmp_path)


def test_no_flipped_bit_gives_other_rows(tmp_path: Path) -> None:
    save_parts(PARTS, AUDIT, tmp_path)
    path = tmp_path / "train.parquet"
    whole, refused, rng = path.read_bytes(), 0, np.random.default_rng(0)
    places = rng.integers(0, len(whole), 300)
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(changed))
        try:
            found = load_parts(tmp_path)
        except DataError as error:
            assert "train.parquet" in str(error)  # noqa: PT017 - some flips change nothing
            refused += 1
        else:
            assert content_sha256(found.train) == content_sha256(PARTS.train)
    assert refused > 0.3 * len(places)  # the rest is names, statistics and the like
