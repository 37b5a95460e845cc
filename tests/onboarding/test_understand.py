from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import CofilterError
from cofilter.onboarding.settings import defaults
from cofilter.onboarding.understand import Understood, understand
from tests.sources.configs import PROJECT


def read(folder: Path, content: str, **said: Any) -> Understood:
    (folder / "mine").write_text(content, encoding="utf-8")
    return understand("mine", defaults(PROJECT / "conf"), said, folder)


def rows(found: Understood) -> list[tuple[Any, ...]]:
    return list(found.obtained.ratings.itertuples(index=False, name=None))


GERMAN = "Kunde;Artikel;Bewertung;Datum\r\n7;A;4,5;05.03.2024\r\n8;B;3;25.03.2024\r\n"


def test_decimal_commas_and_the_one_form_of_times_are_proposed(tmp_path: Path) -> None:
    found = read(tmp_path, GERMAN)
    assert rows(found) == [(7, "A", 4.5, 1709596800), (8, "B", 3.0, 1711324800)]
    assert found.changes["decimal"] == ","
    assert found.changes["timestamp_format"] == "%d.%m.%Y"
    said = {"decimal": ",", "timestamp_format": "%d.%m.%Y"}
    assert read(tmp_path, GERMAN, **said).notes == []
    with pytest.raises(CofilterError, match=r'rating: "4,5"; a number is expected'):
        read(tmp_path, GERMAN, decimal=".")


def test_days_and_months_that_fit_both_ways_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CofilterError, match=r'"%d/%m/%Y" or "%m/%d/%Y" \(both fit'):
        read(tmp_path, "user,item,date\n7,A,05/03/2024\n")


def test_true_and_false_are_a_rating_and_what_is_not_used_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "user,item,event,bought\n7,A,view,true\n8,B,cart,false\n")
    assert rows(found) == [(7, "A", 1.0), (8, "B", 0.0)]
    assert "not used: event" in found.notes
    assert any(note.startswith('column "bought" is taken as rating') for note in found.notes)


@pytest.mark.parametrize(
    "content",
    [
        '[{"user": {"id": 7}, "item": "A", "stars": 4}]',
        '{\n"user": {"id": 7},\n"item": "A",\n"stars": 4\n}\n',
        '\n{"user": {"id": 7}, "item": "A", "stars": 4}\n',
    ],
)
def test_keys_of_json_are_its_columns(tmp_path: Path, content: str) -> None:
    found = read(tmp_path, content)
    assert rows(found) == [(7, "A", 4.0)]
    assert found.changes["columns"]["user"] == "user.id"


def test_rows_within_an_object_are_named(tmp_path: Path) -> None:
    with pytest.raises(CofilterError, match="the rows seem to be in ratings: jq"):
        read(tmp_path, '{"ratings": [{"user": 7, "item": "A"}]}')


def test_line_separators_in_a_title_end_no_line(tmp_path: Path) -> None:
    text = "user,item,note\n7,A,a\u2028b\n8,B,c\u0085d\n9,C,e\x0cf\n"
    assert len(rows(read(tmp_path, text))) == 3
