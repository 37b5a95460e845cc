"""Ratings and titles of any source, as the same two tables and a report."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from cofilter.console.progress import busy
from cofilter.core import paths
from cofilter.core.columns import GENRES, ITEM, PART, RATING, TIMESTAMP, TITLE, USER, WEIGHT
from cofilter.core.errors import DataError, SourceError
from cofilter.core.io import atomic_path, table_sha256, write_json, write_table
from cofilter.core.parts import PARTS
from cofilter.sources.again import form_of_layout, form_of_source
from cofilter.sources.config import DataConfig, TitlesConfig
from cofilter.sources.delimited import TextFormat
from cofilter.sources.files import Bundle, Member, describe, open_bundle, open_file
from cofilter.sources.forms import read_table
from cofilter.sources.ids import same_kind
from cofilter.sources.items import NO_TITLES, join_items, titles
from cofilter.sources.layouts import LAYOUTS, Layout, layout_of, read_titles
from cofilter.sources.mirrors import first_archive
from cofilter.sources.own_tables import own_tables
from cofilter.sources.published import in_one_table
from cofilter.sources.ratings import Checked, Rules, check_ratings
from cofilter.sources.summary import summary, warnings
from cofilter.sources.synthetic import generate
from cofilter.sources.table import RawTable

__all__ = ["DataConfig", "Obtained", "obtain", "save"]


_RATINGS = (USER, ITEM, RATING, TIMESTAMP, WEIGHT, PART)


@dataclass(frozen=True)
class Obtained:
    """What a source gave.

    Attributes
    ----------
    ratings:
        user_id, item_id (int64 or str), rating (float32); timestamp (int64 seconds, UTC) if the
        source has times; weight (float32 ≥ 0) if it has weights; part (``train``, ``validation`` or
        ``test``) if it is a published split.
        In the source's row order, the files of a folder as train, validation, test.
    items:
        item_id, title, genres (separated by ``|``), one row an item, every rated item among them;
        "" where the source does not say.
    report:
        Origin, checksums, licence and counts; equal for two equal runs.
    """

    ratings: pd.DataFrame
    items: pd.DataFrame
    report: dict[str, Any]


@dataclass(frozen=True)
class _Read:
    """Files of a source after reading, before both tables are brought together."""

    origin: str
    files: list[dict[str, Any]]
    ratings: dict[str, RawTable]  # by part; under "" one file that is no part of a folder
    titles: pl.DataFrame
    timestamp_format: str
    form: dict[str, Any] | None  # how more rows are written
    odd_titles: str = ""  # what is told of rows of the titles that are left out


def obtain(config: DataConfig, downloads: Path, base: Path) -> Obtained:
    """Fetch or generate a source's ratings, check every row, and bring ids and titles to one form.

    Parameters
    ----------
    downloads:
        Folder in which archives are kept, so that a second run downloads nothing.
    base:
        Folder that a relative ``data.path`` or ``data.items.path`` starts from.

    Raises
    ------
    SourceError
        No mirror answered, or a path does not exist.
    DataError
        A file is not what it claims, lacks a column, or has an invalid row (see
        `cofilter.sources.ratings.check_ratings`), or the content's checksum differs.
    """
    if config.kind == "synthetic":
        return _synthetic(config)
    read_source = _read_movielens if config.kind == "movielens" else _read_own
    read = read_source(config, downloads, base)
    return _checked(config, read)


@busy("checking the ratings")
def _checked(config: DataConfig, read: _Read) -> Obtained:
    rules = Rules(
        config.scale,
        read.timestamp_format,
        config.invalid == "skip",
        config.decimal or ".",
        config.null_values or (),
    )
    files, tables = _check_each(read.ratings, rules)
    checked = tables[0] if "" in files else in_one_table(files, tables)
    label = files[""].label if "" in files else read.origin
    typed = any(raw.typed for raw in files.values())
    (users,) = same_kind(label, checked.table[USER], keep_text=typed)
    ratings, items, repeated = join_items(label, checked.table, read.titles, typed)
    ratings = ratings.with_columns(users.alias(USER))
    facts: dict[str, Any] = {"skipped": checked.skipped, "repeated_titles": repeated}
    facts["form"] = read.form
    if PART in ratings.columns:
        facts["parts"] = {part: int((ratings[PART] == part).sum()) for part in PARTS}
    obtained = _obtained(
        config, read.origin, read.files, ratings.to_pandas(), items.to_pandas(), facts
    )
    if read.odd_titles:
        obtained.report["warnings"].append(read.odd_titles)
    return obtained


def _check_each(
    files: dict[str, RawTable], rules: Rules
) -> tuple[dict[str, RawTable], list[Checked]]:
    """Check each file and let go of what it was read from, the larger part of the memory."""
    emptied, tables = {}, []
    for part in list(files):
        raw = files.pop(part)
        tables.append(check_ratings(raw, rules))
        emptied[part] = RawTable(raw.label, raw.frame.clear(), lambda index: index, 0, raw.typed)
        del raw
    return emptied, tables


def save(obtained: Obtained, out: Path) -> None:
    """Write ratings, items and report under ``out``; no file changes before all are written."""
    with ExitStack() as stack:
        ratings = stack.enter_context(atomic_path(out / paths.RATINGS))
        items = stack.enter_context(atomic_path(out / paths.ITEMS))
        report = stack.enter_context(atomic_path(out / paths.SOURCE))
        write_table(ratings, obtained.ratings)
        write_table(items, obtained.items)
        write_json(report, obtained.report)


def _synthetic(config: DataConfig) -> Obtained:
    assert config.synthetic is not None  # DataConfig has checked it
    ratings, facts = generate(config.synthetic)
    items = pd.DataFrame({ITEM: np.unique(ratings[ITEM]), TITLE: "", GENRES: ""})
    origin = f"generated with seed {config.synthetic.seed}"
    more = {"skipped": {}, "form": None, "synthetic": facts}
    return _obtained(config, origin, [], ratings, items, more)


def _obtained(
    config: DataConfig,
    origin: str,
    files: list[dict[str, Any]],
    ratings: pd.DataFrame,
    items: pd.DataFrame,
    facts: dict[str, Any],
) -> Obtained:
    titles_given = bool((items[TITLE] != "").any())
    ratings = ratings[[name for name in _RATINGS if name in ratings]]
    items = items[[ITEM, TITLE, GENRES]]
    checksums = {"ratings": table_sha256(ratings), "items": table_sha256(items)}
    _verify(config, origin, checksums)
    user, item = (pd.factorize(ratings[name])[0] for name in (USER, ITEM))
    users, rated = int(user.max()) + 1, int(item.max()) + 1
    report = {
        "name": config.name,
        "origin": origin,
        "homepage": config.homepage,
        "licence": config.licence,
        "files": files,
        "rows": len(ratings),
        "users": users,
        "items": rated,
        "titles": len(items),
        "duplicate_pairs": len(ratings) - pl.Series(user * rated + item).n_unique(),
        "scale": list(config.scale) if config.scale else None,
        "relevance_threshold": config.relevance_threshold,
        "timestamps": TIMESTAMP in ratings,
        "content_sha256": checksums,
        **facts,
        "summary": summary(ratings, items, user),
        "warnings": warnings(ratings, items, user, config.scale, titles_given),
    }
    return Obtained(ratings, items, report)


def _verify(config: DataConfig, origin: str, found: dict[str, str]) -> None:
    if config.checksums is None:
        return
    for table, expected in config.checksums.model_dump().items():
        if found[table] != expected:
            raise DataError(
                f"{origin}: the {table} are not those of {config.name}: content checksum "
                f"{expected} is expected, not {found[table]}. For other data take another source "
                "(data=csv), or set data.checksums=null"
            )


def _read_movielens(config: DataConfig, downloads: Path, base: Path) -> _Read:
    if config.path is not None:
        return _read_local(config, config.path, base / config.path)
    mirror, archive = first_archive(config.name, config.mirrors, downloads)
    bundle = open_bundle(archive, archive.name)
    ratings, items = bundle.get(mirror.members.ratings), bundle.get(mirror.members.items)
    layout = layout_of(ratings.name)
    if layout is None:
        known = ", ".join(layout.ratings for layout in LAYOUTS)
        raise SourceError(f"{config.name}: mirrors: {ratings.name} is none of {known}")
    return _read_layout(config, mirror.origin, bundle, layout, ratings, items)


def _read_local(config: DataConfig, given: str, path: Path) -> _Read:
    """A folder, a zip archive, or a ratings file with its titles beside it."""
    if path.is_file() and layout_of(path.name) is not None:
        layout = layout_of(path.name)
        bundle = open_bundle(path.parent, str(Path(given).parent))
    else:
        bundle = open_bundle(path, given)
        layout = next((known for known in LAYOUTS if bundle.find(known.ratings)), None)
    if layout is None:
        known = ", ".join(f"{one.ratings} with {one.items}" for one in LAYOUTS)
        raise DataError(f"{given}: holds none of {known} (there are: {bundle.listing()})")
    ratings, items = bundle.find(layout.ratings), bundle.find(layout.items)
    if ratings is None or items is None:
        raise DataError(f"{given}: no {layout.items} beside {layout.ratings}; data=csv needs none")
    return _read_layout(config, given, bundle, layout, ratings, items)


@busy("reading the ratings")
def _read_layout(
    config: DataConfig, origin: str, bundle: Bundle, layout: Layout, ratings: Member, items: Member
) -> _Read:
    content, described = ratings.read(), items.read()
    raw = read_table(ratings, content, layout.text, layout.columns)
    table = read_titles(items.label, described, layout, config.encoding)
    files = bundle.describe([(ratings, content), (items, described)])
    form = form_of_layout(layout.text, layout.columns, layout.timestamp_format)
    return _Read(origin, files, {"": raw}, table, layout.timestamp_format, form)


@busy("reading the ratings")
def _read_own(config: DataConfig, downloads: Path, base: Path) -> _Read:
    found = own_tables(config, _text(config, config, "data"), base, downloads)
    files = list(found.files)
    table, odd = NO_TITLES, ""
    if config.items is not None and config.items.path is not None:
        of_titles, content = _open_titles(config.items.path, base)
        files.append(describe(of_titles, content))
        table, without = _read_titles(config, of_titles, content)
        if without:
            odd = f"{without:,} rows of {of_titles.label} have no id and are left out"
    times, form = config.timestamp_format or "auto", form_of_source(config)
    return _Read(found.origin, files, found.tables, table, times, form, odd)


def _open_titles(given: str, base: Path) -> tuple[Member, bytes]:
    member = open_file(base / given, given)
    return member, member.read()


def _read_titles(config: DataConfig, member: Member, content: bytes) -> tuple[pl.DataFrame, int]:
    assert config.items is not None
    names = {ITEM: "item", TITLE: "title", GENRES: "genres"}
    given = config.items.columns.model_dump()
    columns = {name: given[key] for name, key in names.items() if given[key] is not None}
    text = _text(config, config.items, "data.items")
    return titles(read_table(member, content, text, columns), config.null_values or ())


def _text(config: DataConfig, of: DataConfig | TitlesConfig, key: str) -> TextFormat:
    assert config.encoding is not None  # DataConfig has checked it
    return TextFormat(
        of.delimiter or "",
        bool(of.has_header),
        config.encoding,
        config.quote,
        config.multiline or False,
        config.comment,
        key,
    )
