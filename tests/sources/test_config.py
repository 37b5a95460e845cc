from __future__ import annotations

from typing import Any

import pytest

from cofilter.core.errors import ConfigError
from tests.sources.configs import NAMES, source, values

OWN = ["csv", "matrix", "adjacency", "baskets", "sql"]


def test_all_sources_are_there() -> None:
    movielens = [
        f"ml_{size}" for size in ("100k", "10m", "1m", "20m", "25m", "32m", "latest_small")
    ]
    assert sorted(NAMES) == sorted([*OWN, "synthetic", *movielens])


@pytest.mark.parametrize("name", NAMES)
def test_each_source_is_valid_and_named_like_its_file(name: str) -> None:
    assert source(name).name == name


def test_all_sources_share_their_keys() -> None:
    assert len({tuple(sorted(values(name))) for name in NAMES}) == 1


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ml_")])
def test_movielens_sources_have_a_scale_and_a_threshold(name: str) -> None:
    config = source(name)
    low = 1.0 if name in ("ml_100k", "ml_1m") else 0.5
    assert config.scale == (low, 5.0)
    assert config.relevance_threshold == 4.0


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("ml_1m", {"delimiter": ","}, "delimiter has no meaning for kind movielens"),
        ("ml_1m", {"mirrors": []}, "mirrors is needed"),
        ("csv", {"columns": None}, "columns is needed for kind csv"),
        ("csv", {"mirrors": values("ml_1m")["mirrors"]}, "mirrors has no meaning for kind csv"),
        ("csv", {"columns__user": 1}, "columns.user must be a header's name"),
        ("csv", {"has_header": False}, "columns.user must be a position"),
        ("csv", {"columns__user": 0, "has_header": False}, "columns.user"),
        ("csv", {"columns__rating": None, "scale": [1, 5]}, "scale must be null"),
        ("csv", {"scale": [5, 1]}, "scale [5, 1]"),
        ("csv", {"scale": [1, 5], "relevance_threshold": 6}, "outside the scale"),
        ("csv", {"invalid": "drop"}, 'data.invalid: "drop"'),
        ("csv", {"query": "select 1"}, "query has no meaning for kind csv"),
        ("csv", {"columns__item": None}, "columns.item is needed for kind csv"),
        ("csv", {"skip_columns": 1}, "skip_columns has no meaning for kind csv"),
        ("sql", {"query": "select 1", "delimiter": ","}, "delimiter has no meaning for kind sql"),
        ("sql", {"query": "select 1", "columns__user": 1}, "columns.user must be a header's name"),
        ("matrix", {"columns__item": 1}, "columns.item has no meaning for kind matrix"),
        ("matrix", {"columns__user": "u"}, "columns.user must be a position"),
        ("matrix", {"skip_columns": None}, "skip_columns is needed for kind matrix"),
        ("matrix", {"not_rated": [99]}, "data.not_rated"),
        ("adjacency", {"not_rated": 99}, "not_rated has no meaning for kind adjacency"),
        ("adjacency", {"scale": [1, 5]}, "scale must be null"),
        ("baskets", {"timestamp_format": "auto"}, "timestamp_format has no meaning"),
        ("csv", {"sha256": "x"}, "data.sha256"),
        ("ml_1m", {"quote": "'"}, "quote has no meaning for kind movielens"),
        ("synthetic", {"null_values": ["x"]}, "null_values has no meaning for kind synthetic"),
        ("csv", {"decimal": None}, "decimal is needed for kind csv"),
        ("csv", {"decimal": ",", "quote": None}, 'decimal and delimiter are both ","'),
        ("csv", {"delimiter": '"'}, "quote and delimiter are both"),
        ("csv", {"items__delimiter": "pipe", "quote": "|"}, "quote and items.delimiter are both"),
        ("csv", {"quote": "ab"}, "data.quote"),
        ("csv", {"quote": "a"}, "data.quote"),
        ("csv", {"delimiter": "\n"}, "a line end separates rows"),
        ("csv", {"timestamp_format": "seconds"}, "or a strptime format such as %d/%m/%Y"),
        ("synthetic", {"path": "x.csv"}, "path has no meaning for kind synthetic"),
        ("synthetic", {"synthetic__users": 0}, "data.synthetic.users: 0"),
        ("ml_1m", {"colour": 1}, "data.colour: unknown key"),
        ("ml_1m", {"mirrors": [{"members": {"ratings": "a", "items": "b"}}]}, "url or pip"),
    ],
)
def test_an_impossible_value_is_named(name: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        source(name, **changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tab_may_be_written_as_a_command_line_can() -> None:
    assert source("csv", delimiter=r"\t").delimiter == "\t"


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("tab", "\t"),
        ("comma", ","),
        ("semicolon", ";"),
        ("pipe", "|"),
        ("space", " "),
        ("::", "::"),
    ],
)
def test_delimiters_have_names_that_need_no_quoting(name: str, mark: str) -> None:
    assert source("csv", delimiter=name, items__delimiter=name).delimiter == mark


def test_missing_values_are_texts_however_yaml_reads_them() -> None:
    given = source("csv", null_values=[None, float("nan"), "-", -1, "NULL"]).null_values
    assert given == ("NULL", "Null", "null", "NaN", "NAN", "nan", "-", "-1")
