"""The table of docs/files.md: each row's file is read with the settings beside it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cofilter.core.config import parse
from cofilter.core.errors import CofilterError
from cofilter.sources.source import DataConfig, obtain
from tests.composition import compose

TABLE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
ROW = r"^\| ([^|`]+) \| `([^`]+)` \| (?:`([^`]+)`)? ?\| (\d+) \|$"
FORMS = re.findall(ROW, TABLE, re.MULTILINE)
NAMES = [form[0] for form in FORMS]


def read(folder: Path, text: str, settings: list[str], encoding: str) -> int:
    content = text.replace("\\n", "\n").replace("\\t", "\t").encode(encoding)
    (folder / "mine").write_bytes(content)
    cfg = compose("data=csv", "data.path=mine", *settings)
    return len(obtain(parse(DataConfig, cfg["data"], "data"), folder, folder).ratings)


@pytest.mark.parametrize(("name", "text", "settings", "rows"), FORMS, ids=NAMES)
def test_each_form_is_read_as_the_table_says(
    tmp_path: Path, name: str, text: str, settings: str, rows: str
) -> None:
    given = shlex.split(settings)
    named = [each.partition("=")[2] for each in given if each.startswith("data.encoding=")]
    encoding = named[0] if named else "utf-8"
    assert read(tmp_path, text, given, encoding) == int(rows)
    if given:
        try:
            without = read(tmp_path, text, [], encoding)
        except CofilterError:
            return
        assert without != int(rows), "the settings are not needed"


def test_the_table_has_its_rows() -> None:
    assert len(FORMS) >= 19
