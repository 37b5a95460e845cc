from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofilter.core.errors import DataError
from cofilter.sources.ids import as_read, missing, placeholders, same_kind


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


def test_whole_floats_are_the_same_text_from_csv_and_parquet() -> None:
    (csv,) = same_kind("x", pl.Series(["17850.0", "-3.0", "12346"]))
    assert csv.to_list() == ["17850.0", "-3.0", "12346"]
    (parquet,) = same_kind("x", pl.Series([17850.0, -3.0, None]))
    assert parquet.to_list() == ["17850.0", "-3.0", None]
    with pytest.raises(DataError, match=r"such as 9007199254740992.0\); integers"):
        same_kind("x", pl.Series("u", [2.0**53]))


def test_unsigned_ids_never_turn_negative() -> None:
    (kept,) = same_kind("x", pl.Series([2**64 - 1, 1], dtype=pl.UInt64))
    assert kept.to_list() == [str(2**64 - 1), "1"]
    (fits,) = same_kind("x", pl.Series([2**63 - 1, 1], dtype=pl.UInt64))
    assert fits.dtype == pl.Int64


def test_only_text_files_have_their_digits_read_as_integers() -> None:
    assert as_read(pl.Series(["1", None, "2"]), typed=False).to_list() == [1, None, 2]
    assert as_read(pl.Series(["1", "02"]), typed=False).to_list() == ["1", "02"]
    assert as_read(pl.Series(["1", "2"]), typed=True).to_list() == ["1", "2"]


def test_what_is_missing_and_what_spells_it() -> None:
    ids = pl.Series(["", None, "NULL", "nan", "N/A", r"\N", " ", "Nan", "0", "nullify"])
    assert missing(ids).to_list() == [True, True] + 8 * [False]
    assert placeholders(ids).to_list() == [False, False] + 5 * [True] + 3 * [False]
    assert missing(pl.Series([1.0, float("nan"), None])).to_list() == [False, True, True]
    assert not placeholders(pl.Series([1, 2])).any()
