from __future__ import annotations

import pytest

from cofilter.core.errors import DataError
from cofilter.sources.layouts import Layout, layout_of, read_titles
from tests.sources.archives import u_item_line

ATOMIC_HEADER = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
WHEEL_ROWS = [
    ("1", "Toy Story", "1995", "Animation Children's Comedy"),
    ("267", "unkonwn", "unkonwn", "unknown"),
    ("543", "Misérables, Les", "1995", "Drama Musical"),
    ("1201", "Marlene Dietrich: Shadow and Light", "1996", "Documentary"),
    (
        "1412",
        "Land Before Time III: The Time of the Great Giving (1995)",
        "V",
        "Animation Children's",
    ),
]
EXPECTED = [
    ("1", "Toy Story (1995)", "Animation|Children's|Comedy"),
    ("267", "unknown", "unknown"),
    ("543", "Misérables, Les (1995)", "Drama|Musical"),
    ("1201", "Marlene Dietrich: Shadow and Light (1996)", "Documentary"),
    (
        "1412",
        "Land Before Time III: The Time of the Great Giving (1995) (V)",
        "Animation|Children's",
    ),
]


def layout(ratings: str) -> Layout:
    found = layout_of(ratings)
    assert found is not None
    return found


def test_the_wheels_titles_are_those_of_grouplens() -> None:
    atomic = ATOMIC_HEADER + "".join("\t".join(row) + "\n" for row in WHEEL_ROWS)
    ours = read_titles("x", atomic.encode(), layout("ml-100k.inter"), None)
    assert ours.rows() == EXPECTED


def test_u_item_is_latin_1_with_trailing_blanks_and_genre_flags() -> None:
    content = "".join(u_item_line(*row) for row in WHEEL_ROWS)
    assert "(1996) |" in content  # as GroupLens has it
    table = read_titles("u.item", content.encode("latin-1"), layout("u.data"), None)
    assert table.rows() == EXPECTED


def test_a_line_of_u_item_as_published() -> None:
    line = (
        "1188|Young Guns II (1990)|01-Jan-1990||http://us.imdb.com/M/title-exact?"
        "Young%20Guns%20II%20(1990)|0|1|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0|1\n"
    )
    table = read_titles("u.item", line.encode(), layout("u.data"), None)
    assert table.rows() == [("1188", "Young Guns II (1990)", "Action|Comedy|Western")]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_dat_titles_in_the_sources_encoding(encoding: str) -> None:
    content = "1::Misérables, Les (1995)::Drama|Musical\n".encode(encoding)
    table = read_titles("movies.dat", content, layout("ratings.dat"), encoding)
    assert table.rows() == [("1", "Misérables, Les (1995)", "Drama|Musical")]


def test_csv_titles_with_commas_and_without_genres() -> None:
    content = b'movieId,title,genres\r\n3,"Postman, The ""best"" (1994)",(no genres listed)\r\n'
    for ratings in ("ratings.csv", "rating.csv"):
        table = read_titles("movies.csv", content, layout(ratings), "utf-8")
        assert table.rows() == [("3", 'Postman, The "best" (1994)', "")]


@pytest.mark.parametrize(
    ("ratings", "content", "said"),
    [
        ("u.data", b"1|Toy Story (1995)|x\n", 'line 1: 24 fields separated by "|"'),
        ("u.data", b"1|T|||" + b"|2" * 19 + b"\n", "line 1: 19 genre flags"),
        ("ml-100k.inter", b"a\tb\tc\td\n", "line 1: the header"),
        ("ratings.dat", b"1::A::B\n2::A\n", 'line 2: 3 fields separated by "::"'),
        ("ratings.dat", b"\xff::A::B\n", "line 1: not utf-8 text"),
        ("ratings.csv", b"id,title,genres\n1,a,b\n", "line 1: the header movieId,title,genres"),
        ("ratings.csv", b"movieId,title,genres\n1,a\n", "line 2: 3 fields"),
        ("ratings.csv", b"movieId,title,genres\n", "the file is empty"),
    ],
)
def test_a_wrong_line_is_named(ratings: str, content: bytes, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_titles("m", content, layout(ratings), "utf-8")
    assert said in str(caught.value)
