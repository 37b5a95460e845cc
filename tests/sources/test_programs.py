"""Files as shops, courses, spreadsheets and servers write them: the right rows, or one line."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import CofilterError
from cofilter.sources.source import Obtained, obtain
from tests.sources.archives import zipped
from tests.sources.configs import source
from tests.sources.test_workbook import book

UI = {"user": "user", "item": "item", "rating": None, "timestamp": None}
UIR = UI | {"rating": "rating"}
UIRT = UIR | {"timestamp": "t"}
Rows = list[tuple[Any, ...]]


def table(row: str, header: str = "user,item,rating") -> bytes:
    return f"{header}\n{row}\n".encode()


def timed(time: str) -> bytes:
    return table(f'7,A,4,"{time}"', "user,item,rating,t")


def columns(user: Any, item: Any, rating: Any = None, timestamp: Any = None) -> dict[str, Any]:
    return {"user": user, "item": item, "rating": rating, "timestamp": timestamp}


GERMAN = (
    "\ufeffKunde;Artikel;Bewertung;Datum\r\n1001;A-7;4,5;05.03.2024 10:22\r\n"
    "1001;A-8;3;06.03.2024 11:00\r\n"
).encode()
OF_GERMAN = {
    "columns": columns("Kunde", "Artikel", "Bewertung", "Datum"),
    "delimiter": "semicolon",
    "decimal": ",",
}
FRENCH = "Client;Article;Note\r\nRenée;Thé;4,5\r\n".encode("cp1252")
OF_FRENCH = {"columns": columns("Client", "Article", "Note"), "delimiter": ";", "decimal": ","}
MOODLE = table(
    '"4/03/24, 10:15:33","Ann Lee","Course: Algebra"', 'Time,"User full name","Event context"'
)
OF_MOODLE = columns("User full name", "Event context", timestamp="Time")
EVENTS = (
    b"user,item,event,t\n7,A,view,2024-03-05T10:00:00Z\n7,A,cart,2024-03-05T10:01:00Z\n"
    b"7,B,purchase,2024-03-05T10:02:00Z\n"
)
MONGO = b'{"_id":{"$oid":"65e"},"user":{"$numberLong":"7"},"item":"A","t":{"$date":1709629353}}\n'
PREAMBLE = b"Report of 2024-03-05\n\nuser,item,rating\n7,A,4\n"
SEVEN = [(7, "A", 4.0)]

READ: dict[str, tuple[bytes, dict[str, Any], Rows]] = {
    "a shop's orders": (
        b"Name,Email,Paid at,Lineitem quantity,Lineitem sku\n"
        b"#1,a@b.c,2024-03-05 10:22:33 +0100,2,SKU-1\n#2,a@b.c,2024-03-06 09:00:00 +0100,1,SKU-2\n",
        {"columns": columns("Email", "Lineitem sku", "Lineitem quantity", "Paid at")},
        [("a@b.c", "SKU-1", 2.0, 1709630553), ("a@b.c", "SKU-2", 1.0, 1709712000)],
    ),
    "Excel's CSV in German": (
        GERMAN,
        OF_GERMAN | {"timestamp_format": "%d.%m.%Y %H:%M"},
        [(1001, "A-7", 4.5, 1709634120), (1001, "A-8", 3.0, 1709722800)],
    ),
    "Excel's CSV in French": (FRENCH, OF_FRENCH | {"encoding": "cp1252"}, [("Renée", "Thé", 4.5)]),
    "Excel's Unicode text": (
        "user\titem\trating\r\n7\tÄ\t4\r\n".encode("utf-16"),
        {"delimiter": "tab"},
        [(7, "Ä", 4.0)],
    ),
    "Excel's line of the delimiter, as a comment": (
        b"sep=;\r\nuser;item;rating\r\n7;A;4\r\n",
        {"delimiter": ";", "comment": "sep="},
        SEVEN,
    ),
    "a mark before a quoted header": (
        b'\xef\xbb\xbf"user","item","rating"\r\n"7","A","4"\r\n',
        {},
        SEVEN,
    ),
    "delimiters at the end of every line": (b"user,item,rating,,\n7,A,4,,\n", {}, SEVEN),
    "leading zeros": (
        b"user,item,rating\n007,0012,4\n7,12,3\n",
        {},
        [("007", "0012", 4.0), ("7", "12", 3.0)],
    ),
    "milliseconds in quotes": (
        timed("1709629353123"),
        {"columns": UIRT},
        [(7, "A", 4.0, 1709629353)],
    ),
    "seconds with a fraction": (
        timed("1709629353.999"),
        {"columns": UIRT},
        [(7, "A", 4.0, 1709629353)],
    ),
    "numbers as NumPy saves them": (
        timed("1.709629353000000000e+09"),
        {"columns": UIRT},
        [(7, "A", 4.0, 1709629353)],
    ),
    "clicks as true and false": (
        b"user,item,rating\n7,A,true\n7,B,false\n8,A,TRUE\n",
        {},
        [(7, "A", 1.0), (7, "B", 0.0), (8, "A", 1.0)],
    ),
    "events of any type as clicks": (
        EVENTS,
        {"columns": UIRT | {"rating": None}},
        [(7, "A", 1.0, 1709632800), (7, "A", 1.0, 1709632860), (7, "B", 1.0, 1709632920)],
    ),
    "decimal commas in quotes": (table('7,A,"4,5"'), {"decimal": ","}, [(7, "A", 4.5)]),
    "a course's log": (
        MOODLE,
        {"columns": OF_MOODLE, "timestamp_format": "%d/%m/%y, %H:%M:%S"},
        [("Ann Lee", "Course: Algebra", 1.0, 1709547333)],
    ),
    "a report's title, as a comment": (PREAMBLE, {"comment": "Report"}, SEVEN),
    "a total at the end, left out": (
        b"user,item,rating\n7,A,4\nTotal,,4\n",
        {"invalid": "skip"},
        SEVEN,
    ),
    "three kinds of line ends": (
        b"user,item,rating\r\n7,A,4\n8,B,3\r9,C,2\r\n",
        {},
        [*SEVEN, (8, "B", 3.0), (9, "C", 2.0)],
    ),
    "line separators within a field": (
        table("7,A\u2028B\u0085C,4"),
        {},
        [(7, "A\u2028B\u0085C", 4.0)],
    ),
    "blanks before a number": (table("7,A,  4"), {}, SEVEN),
    "MySQL's missing values": (
        b"7\tA\t4\n\\N\tB\t3\n",
        {"columns": columns(1, 2, 3), "has_header": False, "delimiter": "tab"}
        | {"null_values": [r"\N"], "invalid": "skip"},
        SEVEN,
    ),
    "psql's unaligned output": (b"user|item|rating\n7|A|4\n", {"delimiter": "pipe"}, SEVEN),
    "an array of JSON": (b'[{"user":7,"item":"A","rating":4}]', {}, SEVEN),
    "JSON for people": (b'{\n  "user": 7,\n  "item": "A",\n  "rating": 4\n}\n', {}, SEVEN),
    "MongoDB's export": (
        MONGO,
        {"columns": columns("user.$numberLong", "item", timestamp="t.$date")},
        [("7", "A", 1.0, 1709629353)],
    ),
    "packed UTF-16": (gzip.compress(table("7,A,4").decode().encode("utf-16")), {}, SEVEN),
    "a zip of a spreadsheet": (
        zipped({"a.xlsx": book(a=[["user", "item", "rating"], [7, "A", 4]])}),
        {},
        SEVEN,
    ),
    "a sheet of numbers as text": (
        book(a=[["user", "item", "rating"], ["007", "A", "4"]]),
        {},
        [("007", "A", 4.0)],
    ),
    "a sheet of true and false": (
        book(a=[["user", "item", "rating"], [7, "A", True], [8, "B", False]]),
        {},
        [(7, "A", 1.0), (8, "B", 0.0)],
    ),
}


def read(tmp_path: Path, content: bytes, changes: dict[str, Any]) -> Obtained:
    (tmp_path / "mine").write_bytes(content)
    config = source("csv", path="mine", **{"columns": UIR} | changes)
    return obtain(config, tmp_path, tmp_path)


@pytest.mark.parametrize("kind", READ)
def test_a_programs_file_is_read(tmp_path: Path, kind: str) -> None:
    content, changes, expected = READ[kind]
    found = read(tmp_path, content, changes).ratings
    assert list(found.itertuples(index=False, name=None)) == expected


UNIT = "what stands beside a number, such as a unit or %, is not read"
THOUSANDS = "thousands separators are not read"
REFUSED: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "German dates": (GERMAN, OF_GERMAN, 'data.timestamp_format="%d.%m.%Y %H:%M" (fits the column)'),
    "decimal commas": (table('7,A,"4,5"'), {}, 'data.decimal="," reads it with a decimal comma'),
    "French letters": (FRENCH, OF_FRENCH, "line 2: not utf-8 text (byte 0xe9); name the file's"),
    "euros": (table('7,A,"4.50 €"'), {}, f'row 2, rating: "4.50 €"; a number is expected: {UNIT}'),
    "dollars": (table("7,A,$12.99"), {}, UNIT),
    "a percentage": (table("7,A,85%"), {}, UNIT),
    "stars": (table("7,A,4 stars"), {}, UNIT),
    "a fraction": (table("7,A,4/5"), {}, UNIT),
    "English thousands": (table('7,A,"1,234.50"'), {}, THOUSANDS),
    "German thousands": (table('7,A,"1.234,50"'), {}, THOUSANDS),
    "French thousands": (table("7,A,1\u202f234"), {}, THOUSANDS),
    "Swiss thousands": (table("7,A,1'234.50"), {}, THOUSANDS),
    "yes and no": (table("7,A,yes"), {}, "null counts each row as 1"),
    "likes": (table("7,A,like"), {}, "data.columns.rating names a column of numbers"),
    "types of events": (
        EVENTS,
        {"columns": UIRT | {"rating": "event"}},
        'rating: "view"; a number',
    ),
    "Excel's line of the delimiter": (
        b"sep=;\r\nuser;item;rating\r\n7;A;4\r\n",
        {"delimiter": ";"},
        "data.comment='sep=' leaves it out",
    ),
    "delimiters at the end of rows alone": (table("7,A,4,"), {}, "line 2: 4 fields, but 3 are"),
    "a report's title": (
        PREAMBLE,
        {},
        'line 1: one column, "Report of 2024-03-05", but 3 in line 3; lines above the header',
    ),
    "a line of counts at the end": (table("7,A,4\n(1 row)"), {}, "line 3: 1 fields, but 3 are"),
    "psql's table": (
        b" user | item | rating \n------+------+--------\n    7 | A    |      4\n",
        {"delimiter": "pipe"},
        '" user " is not "user"',
    ),
    "a header with blanks": (b"user, item, rating\n7, A, 4\n", {}, '" item" is not "item"'),
    "a header with capitals": (b"User,Item,Rating\n7,A,4\n", {}, '"User" is not "user"'),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbfuser,item,rating\n7,A,4\n", {}, r'"\ufeffuser" is not'),
    "the end of DOS": (b"user,item,rating\r\n7,A,4\r\n\x1a", {}, "line 3: 1 fields"),
    "backslashes before quotes": (b'user,item,rating\n7,"a \\"b\\"",4\n', {}, "data.quote=null"),
    "the header again": (table("7,A,4\nuser,item,rating"), {}, 'row 3, rating: "rating"'),
    "a total at the end": (table("7,A,4\nTotal,,4"), {}, "row 3, item_id: no value"),
    "a rounded time": (timed("1.70963E+12"), {"columns": UIRT}, "a spreadsheet has rounded it"),
    "a clock of twelve hours": (timed("3/5/2024 1:22 PM"), {"columns": UIRT}, "%m/%d/%Y %I:%M %p"),
    "a time of mail": (
        timed("Tue, 05 Mar 2024 10:22:33 GMT"),
        {"columns": UIRT},
        "data.timestamp_format",
    ),
    "a course's times": (MOODLE, {"columns": OF_MOODLE}, "its form in data.timestamp_format"),
    "a server's log": (
        b'1.2.3.4 - - [05/Mar/2024:10:22:33 +0000] "GET /7 HTTP/1.1" 200 12\n',
        {"columns": columns(1, 6, timestamp=4), "has_header": False, "delimiter": "space"},
        '"[05/Mar/2024:10:22:33"; seconds since 1970',
    ),
    "a sparse matrix with its sizes": (
        b"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 4\n",
        {"columns": columns(1, 2, 3), "has_header": False, "delimiter": "space", "comment": "%"},
        "is a Matrix Market file, which is not read; in Python: m = scipy.io.mmread",
    ),
    "features by number": (
        b"7 1:4 2:3\n8 1:5\n",
        {"columns": columns(1, 2), "has_header": False, "delimiter": "space"},
        "line 2: 2 fields, but 3 are in the first line",
    ),
    "JSON with the rows within": (
        b'{"ratings":[{"user":7,"item":"A","rating":4}]}',
        {},
        "the rows seem to be in ratings: jq '.\"ratings\"' FILE > rows.json takes them out",
    ),
    "JSON by column": (b'{"user":[7],"item":["A"],"rating":[4]}', {}, "user: [7] is a list"),
    "MongoDB's numbers": (MONGO, {"columns": UI}, "user: {'$numberLong': '7'} is a dict"),
    "a deleted record": (b'{"user":7,"item":"A"}\nnull\n', {"columns": UI}, "line 2: None is no"),
    "a search engine's bulk file": (
        b'{"index":{}}\n{"user":7,"item":"A"}\n',
        {"columns": UI},
        "line 1: no key user",
    ),
    "a table of HTML": (b"<table><tr><td>7</td></tr></table>", {}, "is an HTML page"),
    "statements of SQL": (b"INSERT INTO r VALUES (7,'A',4);\n", {}, "is statements of SQL"),
    "a title above a sheet's header": (
        book(a=[["Sales"], [], ["user", "item", "rating"], [7, "A", 4]]),
        {},
        "mine, line 1: no column user, item, rating (the columns are: Sales",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_programs_file_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    content, changes, said = REFUSED[kind]
    with pytest.raises(CofilterError) as told:
        read(tmp_path, content, changes)
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) == 1


WARNED = {
    "ids that a spreadsheet has rounded": (
        b"user,item,rating\n1.23457E+12,A,4\n1.23457E+12,B,4\n",
        '1 of 1 user_id are written with an exponent, such as "1.23457E+12", and may be rounded',
    ),
    "capital letters": (
        b"user,item,rating\nAnn@b.c,A,4\nann@b.c,A,4\n",
        "2 of 2 user_id differ from another in capital letters alone",
    ),
    "letters that are not seen": (
        table("\u200b7,A,4\n7,A,3"),
        r'1 of 2 user_id have letters that are not seen, such as "\u200b7"',
    ),
    "blanks that do not break": (
        table("7\u00a0,A,4"),
        r'1 of 1 user_id have blanks around them, such as "7\xa0"',
    ),
    "clicks with what was not clicked": (
        table("7,A,true\n7,B,false"),
        "1 of 2 ratings are 0 and all others 1; if 0 says that nothing happened, "
        "filter.min_rating=1 leaves them out",
    ),
}


@pytest.mark.parametrize("kind", WARNED)
def test_what_may_be_a_mistake_is_a_warning(tmp_path: Path, kind: str) -> None:
    content, said = WARNED[kind]
    (line,) = read(tmp_path, content, {}).report["warnings"]
    assert line.startswith(said)
    assert len(line.splitlines()) == 1
