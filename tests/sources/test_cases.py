"""Files as people have them: what each gives, or the one line that refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import CofilterError, DataError
from cofilter.sources.source import Obtained, obtain
from tests.sources.configs import source

CASES = Path(__file__).parent / "cases"
UIRT = {"user": "user", "item": "item", "rating": "rating", "timestamp": "t"}
DAY = UIRT | {"timestamp": "day"}
UIR = UIRT | {"timestamp": None}
BOOKS = {"user": "User-ID", "item": "ISBN", "rating": "Book-Rating", "timestamp": None}
PURCHASES = {"user": "customer", "item": "sku", "rating": "quantity", "timestamp": "at"}
TITLES = {"item": "item", "title": "title", "genres": None}


def read(path: Path, **changes: Any) -> Obtained:
    return obtain(source("csv", path=path.name, **changes), path.parent, path.parent)


def case(name: str, **changes: Any) -> Obtained:
    return read(CASES / name, **changes)


def rows(obtained: Obtained) -> list[tuple[Any, ...]]:
    return list(obtained.ratings.itertuples(index=False, name=None))


def titled(path: str, delimiter: str = ",") -> dict[str, Any]:
    return {"path": path, "delimiter": delimiter, "has_header": True, "columns": TITLES}


NUMBERS = {"columns": {key: value and at for at, (key, value) in enumerate(UIR.items(), 1)}}


@pytest.mark.parametrize(
    ("name", "changes", "n_rows", "n_users", "first"),
    [
        (
            "quote_in_unread_column.csv",
            {},
            30,
            6,
            (1, 1, 1.0, 1577836800),
        ),
        (
            "stray_quotes.tsv",
            {"columns": UIR, "delimiter": "tab", "quote": None},
            5,
            5,
            ("a", 1, 5.0),
        ),
        (
            "two_digit_years.csv",
            {"columns": DAY, "timestamp_format": "%d/%m/%y"},
            4,
            2,
            (1, 1, 4.0, 888969600),
        ),
        (
            "dates_as_numbers.csv",
            {"columns": DAY, "timestamp_format": "%Y%m%d"},
            3,
            2,
            (1, 1, 4.0, 1583280000),
        ),
        ("microseconds.csv", {"columns": UIRT}, 3, 2, (1, 1, 4.0, 1583300000)),
        ("iso_minutes.csv", {"columns": UIRT}, 3, 2, (1, 1, 4.0, 1577872860)),
        (
            "implicit_zeros.csv",
            {
                "columns": BOOKS,
                "delimiter": "semicolon",
                "encoding": "latin-1",
                "scale": [1, 10],
                "invalid": "skip",
            },
            2,
            2,
            (276726, "0155061224", 5.0),
        ),
        ("repeated_plays.csv", {"columns": UIRT | {"rating": "hours"}}, 4, 2, (1, 10)),
        ("blank_line_after_header.csv", {"columns": UIRT}, 2, 2, (1, 10, 4.0, 1600000000)),
        ("trailing_commas_header.csv", {"columns": UIRT}, 2, 2, (1, 10, 4.0, 1600000000)),
        ("utf16.csv", {"columns": UIRT}, 2, 2, (1, 10, 4.0, 1600000000)),
        ("cr_only.csv", {"columns": UIRT}, 2, 2, (1, 10, 4.0, 1600000000)),
        (
            "overflow_rating.csv",
            {"columns": UIRT, "invalid": "skip"},
            1,
            1,
            (2, 11, 3.0, 1600000001),
        ),
        (
            "placeholder_ids.csv",
            {"columns": UIRT, "null_values": [None, float("nan")], "invalid": "skip"},
            2,
            2,
            (1, 10, 4.0, 1600000000),
        ),
        (
            "placeholder_ids.csv",
            {"columns": UIRT, "null_values": [""]},
            4,
            4,
            ("1", 10, 4.0, 1600000000),
        ),
        (
            "events.jsonl",
            {"columns": UIRT | {"timestamp": "timestamp"}},
            8,
            2,
            (1, 1, 1.0, 1577836800),
        ),
        (
            "returns.csv",
            {
                "columns": PURCHASES,
                "invalid": "skip",
            },
            5,
            2,
            ("17850.0", "85123A", 6.0, 1291191960),
        ),
    ],
)
def test_a_file_is_read_as_its_owner_means_it(
    name: str, changes: dict[str, Any], n_rows: int, n_users: int, first: tuple[Any, ...]
) -> None:
    obtained = case(name, **changes)
    assert obtained.report["rows"] == n_rows == len(obtained.ratings)
    assert obtained.report["users"] == n_users
    assert rows(obtained)[0][: len(first)] == first


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            "stray_quotes.tsv",
            {"columns": UIR, "delimiter": "tab"},
            'stray_quotes.tsv, line 3: a field in " goes on over a line break',
        ),
        (
            "titles_do_not_match_ratings.csv",
            {"columns": UIRT, "items": titled("inner_quotes_titles.tsv", "tab")},
            "inner_quotes_titles.tsv, line 2: text after a field's closing \"",
        ),
        (
            "adjacency.txt",
            {"columns": NUMBERS["columns"] | {"rating": None}, "has_header": False}
            | {"delimiter": "space"},
            "adjacency.txt, line 2: 6 fields, but 3 are in the first line (2 lines differ so)",
        ),
        ("shifted_fields.csv", {"columns": UIR}, "line 2: 6 fields, but 5 are named"),
        (
            "two_digit_years.csv",
            {"columns": DAY, "timestamp_format": "%d/%m/%Y"},
            'row 2, timestamp: "04/03/98"; the year has two digits; set '
            'data.timestamp_format="%d/%m/%y"',
        ),
        ("two_digit_years.csv", {"columns": DAY}, '"%d/%m/%y" or "%m/%d/%y" (both fit'),
        (
            "dates_as_numbers.csv",
            {"columns": DAY},
            'timestamp: "20200304" (row 2) looks like a date, not a number of seconds; '
            'data.timestamp_format="%Y%m%d"',
        ),
        (
            "microseconds.csv",
            {"columns": UIRT, "timestamp_format": "epoch_ms"},
            'row 2, timestamp: "1583300000000000"; milliseconds since 1970, up to 2100, are '
            "expected; as microseconds it fits: set data.timestamp_format=epoch_us",
        ),
        (
            "first_row_iso_rest_epoch.csv",
            {"columns": UIRT},
            'two forms of time: "2020-03-04T05:06:07" (row 2, ISO 8601) and "1583300000" (row 3',
        ),
        (
            "placeholder_ids.csv",
            {"columns": UIRT},
            'row 3, user_id: "NULL"; an id is expected, not what stands for a missing value '
            "(2 rows have this fault). data.null_values=[NULL]",
        ),
        (
            "overflow_rating.csv",
            {"columns": UIRT},
            'overflow_rating.csv, row 2, rating: "1e39"; a number is expected',
        ),
        (
            "returns.csv",
            {
                "columns": PURCHASES,
            },
            "row 6, user_id: no value; an id is expected. data.invalid=skip",
        ),
        ("utf16.csv", {"columns": UIRT | {"item": "x"}}, "line 1: no column x"),
    ],
)
def test_a_file_is_refused_in_one_line(name: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CofilterError) as caught:
        case(name, **changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_titles_with_quotes_in_them_are_read_without_quoting() -> None:
    obtained = case(
        "titles_do_not_match_ratings.csv",
        columns=UIRT,
        quote=None,
        items=titled("inner_quotes_titles.tsv", "tab"),
    )
    assert '"Weird Al" Yankovic' in obtained.items["title"].tolist()


def test_titles_that_do_not_match_are_a_warning() -> None:
    obtained = case(
        "titles_do_not_match_ratings.csv",
        columns=UIRT,
        items=titled("titles_do_not_match_items.csv"),
    )
    assert (
        '0 of 2 items have titles; "10.0" in the titles is not "10" in the ratings (2 such items)'
        in obtained.report["warnings"]
    )
    assert obtained.report["summary"]["titled_items"] == 0


def test_zeros_below_the_scale_are_a_warning_until_the_scale_is_named() -> None:
    form = {"columns": BOOKS, "delimiter": "semicolon", "encoding": "latin-1"}
    found = case("implicit_zeros.csv", **form)
    assert len(found.ratings) == 4
    assert found.report["warnings"][0].startswith("2 of 4 ratings are 0, below the others' scale")
    kept = case("implicit_zeros.csv", **form, scale=[0, 10])
    assert (len(kept.ratings), kept.report["warnings"]) == (4, [])
    left_out = case("implicit_zeros.csv", **form, scale=[1, 10], invalid="skip")
    assert (len(left_out.ratings), left_out.report["skipped"]["rating_out_of_scale"]) == (2, 2)


def test_whole_floats_are_ids_as_they_are_and_said() -> None:
    columns = {"user": "customer", "item": "sku", "rating": "quantity", "timestamp": "at"}
    found = case("returns.csv", columns=columns, invalid="skip")
    assert found.report["skipped"]["user_missing"] == 1
    assert found.report["summary"]["negatives"] == 1
    assert (
        "2 of 2 user_id are whole numbers written as floats, such as "
        '"17850.0"; they are kept as this text, and it is not "17850"'
    ) in found.report["warnings"]


# Relatives: other files of the same kinds.
READ = {
    "quoted ids keep what is in them": (
        b'user,item,rating\n"a,b",1,4\n"say ""hi""",2,5\n',
        {"columns": UIR},
        [("a,b", 1, 4.0), ('say "hi"', 2, 5.0)],
    ),
    "a quote in the middle of a wanted column": (
        b'user,item,rating\na"b,1,4\nc,2,5\n',
        {"columns": UIR},
        [('a"b', 1, 4.0), ("c", 2, 5.0)],
    ),
    "single quotes": (
        b"user,item,rating\n'a,b',1,4\n",
        {"columns": UIR, "quote": "'"},
        [("a,b", 1, 4.0)],
    ),
    "line breaks in quotes, when they are allowed": (
        b'user,item,rating,note\na,1,4,"two\r\nlines"\nb,2,5,\n',
        {"columns": UIR, "multiline": True},
        [("a", 1, 4.0), ("b", 2, 5.0)],
    ),
    "decimal commas": (
        b"user;item;rating\n1;1;4,5\n1;2;3\n",
        {"columns": UIR, "delimiter": "semicolon", "decimal": ","},
        [(1, 1, 4.5), (1, 2, 3.0)],
    ),
    "comments and blank lines before the header and between rows": (
        b"# from the shop\n\nuser|item|rating\n  \n1|1|4\n# more\n||\n1|2|3\n\n",
        {"columns": UIR, "delimiter": "pipe", "comment": "#"},
        [(1, 1, 4.0), (1, 2, 3.0)],
    ),
    "UTF-16 big-endian": (
        "\ufeffuser,item,rating\né,1,4\n".encode("utf-16-be"),
        {"columns": UIR},
        [("é", 1, 4.0)],
    ),
    "UTF-16 without a mark, by name": (
        "user,item,rating\né,1,4\n".encode("utf-16-le"),
        {"columns": UIR, "encoding": "utf-16-le"},
        [("é", 1, 4.0)],
    ),
    "mixed line ends, none at the end": (
        b"user,item,rating\r\n1,1,4\r1,2,3\n1,3,2",
        {"columns": UIR},
        [(1, 1, 4.0), (1, 2, 3.0), (1, 3, 2.0)],
    ),
    "a delimiter of two characters within quotes": (
        b'user::item::rating\n"a::b"::1::4\n',
        {"columns": UIR, "delimiter": "::"},
        [("a::b", 1, 4.0)],
    ),
    "a delimiter beyond ASCII": (
        "user§item§rating\na§1§4\n".encode(),
        {"columns": UIR, "delimiter": "§"},
        [("a", 1, 4.0)],
    ),
    "a field of a megabyte": (
        b"user,item,rating,note\na,1,4," + b"x" * 1_000_000 + b"\n",
        {"columns": UIR},
        [("a", 1, 4.0)],
    ),
    "unnamed columns of the same name, unwanted": (
        b",user,item,rating,,\n0,a,1,4,,\n",
        {"columns": UIR},
        [("a", 1, 4.0)],
    ),
    "unsigned 64-bit ids": (
        b"user,item,rating\n18446744073709551615,1,4\n9223372036854775808,1,3\n",
        {"columns": UIR},
        [("18446744073709551615", 1, 4.0), ("9223372036854775808", 1, 3.0)],
    ),
    "missing ids that are skipped by name": (
        b"user,item,rating\n-,1,4\n\\N,2,5\n3,NULL,3\n7,7,3\n",
        {"columns": UIR, "null_values": ["-", r"\N", "NULL"], "invalid": "skip"},
        [(7, 7, 3.0)],
    ),
}


@pytest.mark.parametrize("kind", READ)
def test_relatives_are_read(tmp_path: Path, kind: str) -> None:
    content, changes, expected = READ[kind]
    (tmp_path / "mine.csv").write_bytes(content)
    assert rows(read(tmp_path / "mine.csv", **changes)) == expected


HEADER = b"user,item,rating\n"
REFUSED = {
    "too few fields": (HEADER + b"1,1,4\n1,2\n", {}, "line 3: 2 fields, but 3 are named"),
    "too many, in a comment with a delimiter": (
        b"user,item,rating,note\n1,1,4,a\n1,2,3,b, c\n",
        {},
        "line 3: 5 fields, but 4 are named",
    ),
    "an open quote": (HEADER + b'1,1,4\n"1,2,3\n', {}, 'line 3: a field begins with " and has no'),
    "the line of a later row, after lines that are no rows": (
        b"\n" + HEADER + b"\n1,1,4\n,,\n1,2,x\n",
        {},
        'row 6, rating: "x"',
    ),
    "the line of a row after a quoted line break": (
        HEADER + b'"1\n2",1,4\n1,2,x\n',
        {"multiline": True},
        'row 4, rating: "x"',
    ),
    "a rating with a decimal comma": (b"user;item;rating\n1;1;4,5\n", {"delimiter": ";"}, '"4,5"'),
    "a point beside decimal commas": (
        b"user;item;rating\n1;1;1.234\n",
        {"delimiter": ";", "decimal": ","},
        'a number with "," (data.decimal) is expected',
    ),
    "a blank id": (HEADER + b" ,1,4\n", {}, 'row 2, user_id: " "; an id is expected, not'),
    "an id of None": (HEADER + b"a,None,4\n", {}, "data.null_values=[None]"),
    "an id of N/A": (HEADER + b"a,N/A,4\n", {}, "data.null_values=[N/A]"),
    "a NUL": (HEADER + b"a,\x00,4\n", {}, "line 2: is a binary file"),
    "UTF-16 without a mark": ("user,item\n".encode("utf-16-le"), {}, "such as utf-16-le"),
    "bytes of another encoding": (
        HEADER + "é,1,4\n".encode("latin-1"),
        {},
        "line 2: not utf-8 text (byte 0xe9); name the file's encoding in data.encoding",
    ),
    "no text encoding": (HEADER + b"1,1,4\n", {"encoding": "base64"}, 'data.encoding: "base64"'),
    "an encoding that is none": (
        HEADER + b"1,1,4\n",
        {"encoding": "undefined"},
        'data.encoding: "undefined" is no encoding of text',
    ),
    "a name that is there twice": (b"user,item,user\n1,2,3\n", {}, "line 1: the header names user"),
    "another delimiter": (b"user;item;rating\n1;1;4\n", {}, "data.delimiter=semicolon seems"),
    "a header alone": (HEADER + b"\n,,\n", {}, "the file has no rows"),
    "comments alone": (b"# nothing\n", {"comment": "#"}, "the file is empty"),
    "two units of time": (
        b"user,item,rating,t\n1,1,4,1583300000\n1,2,4,1583300000000\n",
        {"columns": UIRT},
        "two units: ",
    ),
    "milliseconds taken for seconds": (
        b"user,item,rating,t\n1,1,4,1583300000000\n",
        {"columns": UIRT, "timestamp_format": "epoch"},
        "set data.timestamp_format=epoch_ms",
    ),
    "years alone": (
        b"user,item,rating,t\n1,1,4,2019\n",
        {"columns": UIRT},
        'data.timestamp_format="%Y"',
    ),
    "a zone's name": (
        b"user,item,rating,t\n1,1,4,2020-01-01 10:00 EST\n",
        {"columns": UIRT},
        'the zone "EST" is not understood',
    ),
    "an infinite rating": (HEADER + b"1,1,1e400\n", {}, 'row 2, rating: "1e400"; a number is'),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_relatives_are_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    content, changes, said = REFUSED[kind]
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(CofilterError) as caught:
        read(tmp_path / "mine.csv", **{"columns": UIR} | changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a," * 75_000_000, "75,000,001 fields in the first line, up to 100,000 are expected"),
        (b"x" * 100_000_000, "line 1: 100,000,000 bytes long, up to 67,108,864 are expected"),
    ],
    ids=["fields", "line"],
)
def test_one_endless_line_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path / "mine.csv")


def lines_of(report: dict[str, Any]) -> int:
    """Lines of a file without quoted line breaks, header counted, from its report."""
    return 1 + int(report["rows"]) + sum(report["skipped"].values())


def test_every_line_is_kept_or_skipped_by_reason(tmp_path: Path) -> None:
    content = HEADER + b"#c\n1,1,4\n\n,2,4\n1,,4\n1,2,x\n1,3,9\n,,\n1,4,5\n"
    (tmp_path / "mine.csv").write_bytes(content)
    changes = {"columns": UIR, "comment": "#", "scale": [1, 5], "invalid": "skip"}
    report = read(tmp_path / "mine.csv", **changes).report
    assert report["skipped"] == {
        "blank_line": 2,
        "comment": 1,
        "user_missing": 1,
        "item_missing": 1,
        "rating_not_a_number": 1,
        "rating_out_of_scale": 1,
    }
    assert lines_of(report) == content.count(b"\n")
