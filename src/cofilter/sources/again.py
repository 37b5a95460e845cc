"""More rows of a source: a file that is written as the source's own files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cofilter.core.columns import ITEM, USER
from cofilter.core.config import parse
from cofilter.core.errors import DataError
from cofilter.sources.config import DataConfig
from cofilter.sources.delimited import TextFormat
from cofilter.sources.ids import same_kind
from cofilter.sources.own_tables import own_tables
from cofilter.sources.ratings import Rules, check_ratings
from cofilter.sources.table import RawTable

# Delimited text as most programs write it, or any other form that a table has.
PLAIN = {
    "kind": "csv", "delimiter": ",", "has_header": True, "encoding": "utf-8", "quote": '"',
    "multiline": False, "decimal": ".", "null_values": [], "comment": None,
    "timestamp_format": "auto", "not_rated": None, "skip_columns": None,
}  # fmt: skip
FORM = (*PLAIN, "columns")


def form_of_source(config: DataConfig) -> dict[str, Any] | None:
    """How the rows of a source are written: the keys that read more of them; None: made up.

    A query's columns have names, so that more of its rows may come in a file.
    """
    if config.kind == "synthetic" or config.columns is None:
        return None
    form = {key: value for key, value in config.model_dump(mode="json").items() if key in FORM}
    if config.kind == "sql":
        form |= PLAIN | {"timestamp_format": config.timestamp_format}
    return form | {"columns": {**form["columns"], "part": None}}


def form_of_layout(
    text: TextFormat, columns: Mapping[str, str | int], time_form: str
) -> dict[str, Any]:
    """As `form_of_source`, of a published layout's delimited text."""
    names = {key.removesuffix("_id"): value for key, value in columns.items()}
    written = {"delimiter": text.delimiter, "has_header": text.has_header, "quote": text.quote}
    return PLAIN | written | {"timestamp_format": time_form, "columns": names}


def read_again(
    path: Path,
    form: Mapping[str, Any],
    scale: tuple[float, float] | None,
    whole_ids: Mapping[str, bool],
) -> pl.DataFrame:
    """Rows as `cofilter.sources.ratings.check_ratings` gives them, all of them valid.

    Parameters
    ----------
    form:
        How they are written, as `form_of_source` says it.
    scale:
        (lowest, highest) rating that may come.
    whole_ids:
        Whether user_id, and item_id, are to be int64; texts otherwise.

    Raises
    ------
    SourceError, DataError, ConfigError
        The line names the file, the row, the column and what is expected.
    """
    empty = dict.fromkeys(DataConfig.model_fields)
    titles = {"item": "item_id", "title": "title", "genres": None}
    no_titles = {"path": None, "delimiter": ",", "has_header": True, "columns": titles}
    fixed = {"name": str(path), "path": str(path.absolute()), "mirrors": [], "invalid": "error"}
    rated = form["kind"] == "matrix" or (form["columns"] or {}).get("rating") is not None
    values = empty | {"items": no_titles} | dict(form) | fixed | {"scale": scale if rated else None}
    config = parse(DataConfig, values, "")
    text = TextFormat(
        config.delimiter or "", bool(config.has_header), config.encoding or "utf-8",
        config.quote, config.multiline or False, config.comment,
    )  # fmt: skip
    tables = own_tables(config, text, path.parent, path.parent).tables
    if list(tables) != [""]:
        raise DataError(f"{path}: holds {', '.join(tables)}; the new rows alone are expected")
    raw = tables[""]
    rules = Rules(
        config.scale, config.timestamp_format or "auto", False, config.decimal or ".",
        config.null_values or (),
    )  # fmt: skip
    table = check_ratings(raw, rules).table
    return table.with_columns(_ids(raw, table[name], whole_ids[name]) for name in (USER, ITEM))


def _ids(raw: RawTable, ids: pl.Series, whole: bool) -> pl.Series:
    """As int64, or as texts; every row of ``raw`` has one."""
    (found,) = same_kind(raw.label, ids, keep_text=raw.typed and not whole)
    if not whole:
        return found.cast(pl.String)
    numbers = found.cast(pl.Int64, strict=False)
    wrong = numbers.is_null().arg_true()
    if len(wrong):
        at = int(wrong[0])
        raise DataError(
            f'{raw.place(at)}, {ids.name}: "{str(found[at])[:80]}"; a whole number is expected, as '
            "the model's ids are"
        )
    return numbers
