"""The reader against Python's `csv`; `python -m tests.sources.fuzz` does it at length."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.fuzz import FORMATS, by_reader, cases, compare

PIECES = st.sampled_from([",", ";", "\t", '"', '""', "'", "\n", "\r", "\r\n", " ", "\ufeff", "é"])
TEXT = st.lists(PIECES | st.text("ab1 ", max_size=3), max_size=25).map("".join)


COMMAS = {"delimiter": ",", "quote": '"', "has_header": False}


@settings(max_examples=500)
@given(TEXT, st.sampled_from(FORMATS))
@example('"item\r",2\n', COMMAS)  # polars takes a \r off a field's end
@example("\n\ufeffa,2\n", COMMAS)  # and a mark off its text's beginning
@example('a"b,2\n"c""d",3\n', COMMAS)
def test_any_text_gives_the_referees_rows_or_an_error(text: str, form: dict[str, Any]) -> None:
    assert not compare(text.encode(), form).startswith("WRONG")


def test_mutated_files_give_the_referees_rows_or_an_error() -> None:
    outcomes = [compare(content, form) for content, form in cases(2000, seed=7)]
    assert not [outcome for outcome in outcomes if outcome.startswith("WRONG")]
    assert outcomes.count("equal") > 500  # it refuses only what is no table


@pytest.mark.parametrize("what", ["row", "field"])
def test_a_reader_that_loses_something_is_found(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def lossy(content: bytes, form: dict[str, Any]) -> list[tuple[str | None, ...]]:
        rows = by_reader(content, form)
        return rows[1:] if what == "row" else [row[1:] for row in rows]

    monkeypatch.setattr("tests.sources.fuzz.by_reader", lossy)
    assert compare(b"1,2\n3,4\n", COMMAS) == "WRONG: other rows"
