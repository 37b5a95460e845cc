from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.onboarding.beside import titles_beside

FILMS = "movieId,title,genres\n1,Up,Comedy|Drama\n2,Heat,Crime\n"


def test_titles_beside_are_found_by_the_ratings_own_name_of_the_item(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/movies.csv").write_text(FILMS, encoding="utf-8")
    columns = {"item": "movieId", "title": "title", "genres": "genres"}
    assert titles_beside("log/ratings.csv", "movieId", "utf-8", tmp_path) == {
        "path": "log/movies.csv",
        "delimiter": ",",
        "has_header": True,
        "columns": columns,
    }


@pytest.mark.parametrize(
    ("name", "content", "item"),
    [
        ("movies.csv", FILMS, "film"),  # no such column
        ("movies.csv", FILMS, 2),  # the ratings have no header
        ("links.csv", FILMS, "movieId"),
        ("movies.csv", "movieId,year\n1,1999\n", "movieId"),
        ("movies.csv", "movieId,title\n1,\xe9\n", "movieId"),  # in another encoding
    ],
)
def test_what_is_no_file_of_their_titles_is_left_alone(
    name: str, content: str, item: str | int, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="latin-1")
    assert titles_beside("ratings.csv", item, "utf-8", tmp_path) == {}
