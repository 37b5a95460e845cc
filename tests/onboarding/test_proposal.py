from __future__ import annotations

import numpy as np
import pytest

from cofilter.core.errors import DataError
from cofilter.onboarding.proposal import DELIMITERS, form_of, roles_of, scale_of

# A file's first lines, as public data sets have them, and its user, item, rating and timestamp.
FILES: dict[str, tuple[str | int | None, ...]] = {
    "userId,movieId,rating,timestamp\n1,2,3.5,1112486027": (
        *("userId", "movieId", "rating", "timestamp"),
    ),
    "User-ID;ISBN;Book-Rating\n1;034545104X;5": ("User-ID", "ISBN", "Book-Rating", None),
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,Customer ID\n"
    "5,85A,x,6,12/1/2010 8:26,2.5,17850": ("Customer ID", "StockCode", "Quantity", "InvoiceDate"),
    "userID\tartistID\tweight\n2\t51\t13883": ("userID", "artistID", "weight", None),
    "196\t242\t3\t881250949\n186\t302\t3\t891717742": (1, 2, 3, 4),
    "1::1193::5::978300760": (1, 2, 3, 4),
    "timestamp,visitorid,event,itemid\n1433221332117,257597,view,355908": (
        *("visitorid", "itemid", None, "timestamp"),
    ),
    "user_id:token\titem_id:token\trating:float\n1\t2\t3": (
        *("user_id:token", "item_id:token", "rating:float", None),
    ),
    "anime_id;user_id;rating\n1;2;-1": ("user_id", "anime_id", "rating", None),
    "reviewerID,asin,overall,unixReviewTime\nA1,B2,5.0,1400000000": (
        *("reviewerID", "asin", "overall", "unixReviewTime"),
    ),
    "session_id,item_id,click_time\n1,2,2015-01-01T00:00:00Z": (
        *("session_id", "item_id", None, "click_time"),
    ),
    "11 22 5\n12 22 4": (1, 2, 3, None),
    "kunde,artikel,datum\nx,y,2020-01-01": ("kunde", "artikel", None, "datum"),
    "who,what,seen\nx,y,2020-01-01": ("who", "what", None, "seen"),
    "ann,tea\nbob,milk": (1, 2, None, None),
}


@pytest.mark.parametrize("text", FILES)
def test_columns_are_told_by_name_or_by_what_they_hold(text: str) -> None:
    form = form_of("file", text + "\n")
    roles = roles_of("file", form)
    assert (roles.user, roles.item, roles.rating, roles.timestamp) == FILES[text]
    assert form.has_header == isinstance(roles.user, str)


def test_what_no_name_told_is_said() -> None:
    text = "who,what,seen\nx,y,2020-01-01\n"
    assert set(roles_of("file", form_of("file", text)).guessed) == {"user", "item", "timestamp"}
    named = "user,item,rating\n1,2,3\n"
    assert roles_of("file", form_of("file", named)).guessed == ()


def test_a_delimiter_inside_quotes_does_not_count() -> None:
    rows = "".join(f'{user},"a, b; c",{user % 5}\n' for user in range(20))
    assert form_of("file", "user,item,rating\n" + rows).delimiter == ","


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_every_delimiter_is_found(delimiter: str) -> None:
    rows = [("user", "item", "rating"), *((str(at), str(at + 7), "3") for at in range(9))]
    form = form_of("file", "\n".join(delimiter.join(row) for row in rows))
    assert (form.delimiter, form.names) == (delimiter, rows[0])


def test_one_column_is_no_log() -> None:
    with pytest.raises(DataError, match=r"data\.delimiter"):
        form_of("file", "user\n1\n2\n")


@pytest.mark.parametrize(
    ("numbers", "kind", "scale", "threshold"),
    [
        ([1, 2, 3, 4, 5, 4, 4], "ratings", [1, 5], 4),
        ([0, 20, 65, 70, 100], "ratings", [0, 100], 65),
        ([1, 1, 1], "clicks", None, None),
        ([1, 1, 1, 2, 40], "counts", None, None),
        ([1, 1, 1, 2, 40, -1], "counts", None, None),  # returned goods
        ([-10.0, 3.5, 9.9], "ratings", [-10.0, 9.9], 3.5),
    ],
)
def test_kind_scale_and_threshold_come_from_all_numbers(
    numbers: list[float], kind: str, scale: list[float] | None, threshold: float | None
) -> None:
    found = scale_of(np.array(numbers, np.float32))
    assert found[0] == kind
    assert found[1] == (scale and pytest.approx(scale))
    assert found[2] == (threshold and pytest.approx(threshold))
