"""Every type that a Parquet or Arrow file can have, as an id, a rating and a time."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from cofilter.core.errors import DataError
from cofilter.sources.ids import same_kind
from cofilter.sources.parquet import read_arrow, read_parquet
from cofilter.sources.ratings import Rules, check_ratings

ANY = Rules(None, "auto", skip=False)
UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")
DAY = 86_400
WIDTHS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()]
NO_ID, NO_RATING = "an integer, text or UUID is expected", "a number is expected"
NO_TIME = "a time, a date or a number is expected"


def numbers(kind: pa.DataType) -> pa.Array:
    return pa.array([1, 2], kind)


def stamps(unit: str, zone: str | None = None) -> pa.Array:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return pa.array([DAY * per_second, 2 * DAY * per_second], pa.timestamp(unit, zone))


# name: (column, as ids, as ratings, as times); text says why it is refused
CASES: dict[str, tuple[pa.Array, Any, Any, Any]] = {
    **{str(kind): (numbers(kind), [1, 2], [1.0, 2.0], [1, 2]) for kind in WIDTHS},
    "uint64": (numbers(pa.uint64()), [1, 2], [1.0, 2.0], [1, 2]),
    "uint64 beyond int64": (
        pa.array([1, 2**64 - 1], pa.uint64()),
        ["1", "18446744073709551615"],
        [1.0, 2.0**64],
        None,
    ),
    **{
        str(kind): (pa.array([1.5, 2.5], kind), "fractional", [1.5, 2.5], [1, 2])
        for kind in (pa.float16(), pa.float32(), pa.float64())
    },
    "decimal of whole numbers": (
        pa.array([Decimal(1), Decimal(2)], pa.decimal128(38, 0)),
        [1, 2],
        [1.0, 2.0],
        [1, 2],
    ),
    "decimal with places, whole": (
        pa.array([Decimal("1.00"), Decimal("2.00")], pa.decimal128(10, 2)),
        [1, 2],
        [1.0, 2.0],
        [1, 2],
    ),
    "decimal beyond int64": (
        pa.array([Decimal(1), Decimal(10**30)], pa.decimal128(38, 0)),
        ["1", str(10**30)],
        [1.0, 1e30],
        None,
    ),
    "decimal with fractions": (
        pa.array([Decimal("1.5"), Decimal("2.5")], pa.decimal128(10, 2)),
        "fractional",
        [1.5, 2.5],
        [1, 2],
    ),
    "decimal32": (
        pa.array([Decimal("1.5")] * 2, pa.decimal32(5, 1)),
        "fractional",
        [1.5] * 2,
        [1] * 2,
    ),
    "decimal256": (pa.array([Decimal(1)] * 2, pa.decimal256(50, 0)), *["38 digits"] * 3),
    "bool": (pa.array([True, False]), NO_ID, [1.0, 0.0], NO_TIME),
    "string": (pa.array(["1", "2"]), ["1", "2"], [1.0, 2.0], [1, 2]),
    "large_string": (pa.array(["1", "2"], pa.large_string()), ["1", "2"], [1.0, 2.0], [1, 2]),
    "string_view": (pa.array(["1", "2"], pa.string_view()), ["1", "2"], [1.0, 2.0], [1, 2]),
    "dictionary of text": (
        pa.array(["1", "2"]).dictionary_encode(),
        ["1", "2"],
        [1.0, 2.0],
        [1, 2],
    ),
    "dictionary of integers": (
        pa.array([1, 2]).dictionary_encode(),
        [1, 2],
        [1.0, 2.0],
        [1, 2],
    ),
    "uuid": (
        pa.array([UUID.bytes] * 2, pa.uuid()),
        [str(UUID)] * 2,
        NO_RATING,
        "seconds since 1970",
    ),
    "16 bytes": (
        pa.array([UUID.bytes] * 2, pa.binary(16)),
        [str(UUID)] * 2,
        NO_RATING,
        "seconds since 1970",
    ),
    "4 bytes": (
        pa.array([b"\x00\xff\x10\xab"] * 2, pa.binary(4)),
        ["00ff10ab"] * 2,
        NO_RATING,
        "seconds since 1970",
    ),
    "bytes that are text": (pa.array([b"1", b"2"]), ["1", "2"], [1.0, 2.0], [1, 2]),
    "bytes that are none": (
        pa.array([b"1", b"\xff\x01"]),
        *["row 2, column x: the bytes 0xff01 are no UTF-8 text"] * 3,
    ),
    **{
        f"timestamp {unit} {zone}": (stamps(unit, zone), NO_ID, NO_RATING, [DAY, 2 * DAY])
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "Europe/Berlin", "+02:00")
    },
    "date32": (numbers(pa.date32()), NO_ID, NO_RATING, [DAY, 2 * DAY]),
    "date64": (
        pa.array([dt.date(1970, 1, 2), dt.date(1970, 1, 3)], pa.date64()),
        NO_ID,
        NO_RATING,
        [DAY, 2 * DAY],
    ),
    "time32": (numbers(pa.time32("ms")), NO_ID, NO_RATING, NO_TIME),
    "time64": (numbers(pa.time64("us")), NO_ID, NO_RATING, NO_TIME),
    "duration": (numbers(pa.duration("s")), NO_ID, NO_RATING, NO_TIME),
    "list": (pa.array([[1], [2]]), NO_ID, NO_RATING, NO_TIME),
    "struct": (pa.array([{"a": 1}] * 2), NO_ID, NO_RATING, NO_TIME),
    "map": (
        pa.array([[("a", 1)]] * 2, pa.map_(pa.string(), pa.int64())),
        NO_ID,
        NO_RATING,
        NO_TIME,
    ),
    "null": (pa.nulls(2), "an id is expected", NO_RATING, "is expected"),
}


def parquet(column: pa.Array, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": column, "other": pa.array([1, 2])}), buffer, **options)
    return buffer.getvalue()


def arrow(column: pa.Array) -> bytes:
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"x": column, "other": pa.array([1, 2])}), buffer)
    return buffer.getvalue()


def values(content: bytes, role: str) -> list[Any]:
    """The column x as it ends up in that role, beside a good one in each other."""
    columns: dict[str, str | int] = {"user_id": "other", "item_id": "other", role: "x"}
    read = read_arrow if content.startswith(b"ARROW1") else read_parquet
    raw = read("f", content, columns)
    table = check_ratings(raw, ANY).table
    if role == "user_id":
        return same_kind("f", table[role], keep_text=raw.typed)[0].to_list()
    return table[role].to_list()


@pytest.mark.parametrize("role", ["user_id", "rating", "timestamp"])
@pytest.mark.parametrize("name", CASES)
def test_each_type_in_each_role(name: str, role: str) -> None:
    column, *expected = CASES[name]
    wanted = expected[["user_id", "rating", "timestamp"].index(role)]
    files = [parquet(column)]
    if name not in (
        "decimal256",
        "string_view",
        "decimal32",
    ):  # polars takes these in Parquet alone
        files.append(arrow(column))
    for content in files:
        if isinstance(wanted, list):
            assert values(content, role) == (pytest.approx(wanted) if role == "rating" else wanted)
        else:
            with pytest.raises(DataError, match=wanted or "expected") as told:
                values(content, role)
            assert "\n" not in str(told.value)


def test_int96_is_a_time() -> None:
    content = parquet(stamps("ns"), use_deprecated_int96_timestamps=True)
    assert values(content, "timestamp") == [DAY, 2 * DAY]


@pytest.mark.parametrize(
    ("write", "read", "form"), [(parquet, read_parquet, "Parquet"), (arrow, read_arrow, "Arrow")]
)
def test_damaged_files_are_one_line(write: Any, read: Any, form: str) -> None:
    content = write(numbers(pa.int64()))
    for broken in (content[: len(content) // 2], content[:-40] + b"\xff" * 40):
        with pytest.raises(DataError, match=f"f: the {form} file is truncated or damaged") as told:
            read("f", broken, {"user_id": "x"})
        assert "\n" not in str(told.value)


def test_a_missing_column_is_named_with_those_there() -> None:
    with pytest.raises(DataError, match=r"no column y \(the columns are: x, other\)"):
        read_parquet("f", parquet(numbers(pa.int64())), {"user_id": "y"})


def test_small_integers_do_not_overflow_between_types() -> None:
    raw = read_parquet("f", parquet(pa.array([100, 101], pa.int8())), {"user_id": "x"})
    assert raw.frame.schema == {"user_id": pl.Int64}
