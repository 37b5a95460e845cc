from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cofilter.sources import records
from cofilter.sources.kernels import records as kernel
from cofilter.sources.records import Records

import pytest  # isort: skip


def of(
    text: str, delimiter: str = ",", quote: str | None = '"', comment: str | None = None
) -> Records:
    return Records(text.encode(), delimiter, quote, comment)


def test_records_blank_lines_and_comments_are_counted_apart() -> None:
    found = of('#x\na,b\n\n , \n"",\n#y\r\n1,2\r3,4', comment="#")
    assert [found[fact] for fact in (kernel.RECORDS, kernel.BLANK, kernel.COMMENTS)] == [3, 3, 2]
    assert found[kernel.LONE_CR] == 1
    assert [found.line(index) for index in range(3)] == [2, 7, 8]


def test_the_first_uneven_record_is_named() -> None:
    found = of("a,b\n1,2\n\n1,2,3\n1\n")
    assert found[kernel.WIDTH] == 2
    assert (found[kernel.UNEVEN], found[kernel.UNEVEN_LINE], found[kernel.UNEVEN_FIELDS]) == (
        2,
        4,
        3,
    )


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ('a,b\n"1"2,3\n', kernel.AFTER_QUOTE, 2),
        ('a,b\n1,"2\n3,4\n', kernel.OPEN_QUOTE, 2),
        ('a,"\n\n"x,3\n', kernel.AFTER_QUOTE, 1),
    ],
)
def test_a_quote_that_does_not_close_a_field_is_a_fault(text: str, fault: int, line: int) -> None:
    found = of(text)
    assert (found[kernel.FAULT], found[kernel.LINE]) == (fault, line)


def test_a_quote_within_a_field_is_a_character() -> None:
    assert of('55" TV,b\n').first() == ['55" TV', "b"]
    assert of('"a","b"\n', quote=None).first() == ['"a"', '"b"']


@given(st.lists(st.lists(st.text('a,"\n\r é', max_size=4), min_size=2, max_size=2), min_size=1))
def test_blocks_of_any_size_hold_all_records(rows: list[list[str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    kept = [row for row in rows if any(cell.strip(" ") for cell in row)]
    found = of("\n".join(quoted))
    field_end, record_end, in_field = (mark.decode() for mark in found.spare)
    for size in (1, 7, 1 << 26):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(records, "_BLOCK", size)
            text = b"".join(found.blocks(skip=1)).decode()
        written = [row.split(field_end) for row in text.split(record_end)[:-1]]
        assert [[cell.replace(in_field, "\r") for cell in row] for row in written] == kept[1:]


def test_a_text_of_all_control_characters_cannot_be_written() -> None:
    text = '"' + "".join(map(chr, [*range(1, 32), 127])) + '",b\n'
    with pytest.raises(ValueError, match="all control characters"):
        list(of(text).blocks())
