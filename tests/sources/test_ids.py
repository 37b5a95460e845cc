from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.sources.ids import same_kind


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_plain_integers_become_int64(ids: list[int]) -> None:
    (kept,) = same_kind("x", pl.Series([str(value) for value in ids]))
    assert kept.dtype == pl.Int64
    assert kept.to_list() == ids


@pytest.mark.parametrize("odd", ["007", "+5", "-0", " 4", "4 ", "1e3", "4.0", "x", str(2**63)])
def test_one_id_that_is_no_plain_integer_keeps_all_as_text(odd: str) -> None:
    (kept,) = same_kind("x", pl.Series(["1", odd]))
    assert kept.to_list() == ["1", odd]


@given(st.lists(st.text(min_size=1) | st.text("+-0123_. e", min_size=1), min_size=1))
def test_text_is_never_changed(ids: list[str]) -> None:
    (kept,) = same_kind("x", pl.Series(ids))
    assert [str(value) for value in kept] == ids


def test_ids_of_several_files_agree_on_one_type() -> None:
    first, second = same_kind("x", pl.Series([1, 2]), pl.Series(["1", "b"]))
    assert first.to_list() == ["1", "2"]
    assert second.to_list() == ["1", "b"]


def test_fractions_and_other_types_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"r.parquet: column u holds fractional numbers"):
        same_kind("r.parquet", pl.Series("u", [1.5]))
    with pytest.raises(DataError, match=r"column u is of type Boolean"):
        same_kind("r.parquet", pl.Series("u", [True]))
