"""Proof that the parts of a split do not leak, and the check that they are still the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from cofilter.core.columns import ITEM, TIMESTAMP, USER
from cofilter.core.errors import DataError, LeakError
from cofilter.core.io import arrays_sha256
from cofilter.core.parts import PARTS, Parts
from cofilter.preparation.instants import Instants, moment
from cofilter.preparation.split import SplitConfig
from cofilter.preparation.tables import ROW, pair_keys, to_polars

TIME_ORDER = {
    "global_temporal": "global",
    "user_temporal": "per user",
    "leave_last_out": "per user",
}


def audit(
    parts: Parts, instants: Instants | None, config: SplitConfig, duplicates: Mapping[str, Any]
) -> dict[str, Any]:
    """State, from the parts themselves, what makes the split trustworthy.

    Parameters
    ----------
    instants:
        The cuts that made the parts; None for kinds without.
    duplicates:
        The counts in the report of `split_ratings`, which the parts cannot show any more.

    Returns
    -------
    JSON-able: ``kind``; ``temporal`` (true when every train row is before every validation row
    and those before every test row); ``time_order`` (``global``, ``per user`` or ``none``);
    ``instants``; for each part its rows, users, items, first and last time (null without) and
    SHA-256; for validation and test the ``cold`` users and items (not in train) and their rows;
    the ``overlap`` of (user, item) pairs between parts, always 0;
    ``train_share_after_first_test``, the share of train rows later than the earliest test row
    (null without timestamps; 0 under ``global_temporal``); ``duplicates``.

    Raises
    ------
    LeakError
        Parts share a (user, item) pair, or a row lies on the wrong side of an instant.
    """
    tables = {name: to_polars(part) for name, part in parts.named()}
    overlap = _overlap(tables)
    shared = [f"{names} {count}" for names, count in overlap.items() if count]
    if shared:
        raise LeakError(f"(user, item) pairs in two parts of the split: {', '.join(shared)}")
    facts = {name: _facts(table) for name, table in tables.items()}
    if (instants is not None) != (config.kind == "global_temporal"):
        raise LeakError(f"kind {config.kind} with instants {instants}: these do not go together")
    if instants is not None:
        _prove_order(facts, instants)
    return {
        "kind": config.kind,
        "temporal": config.kind == "global_temporal",
        "time_order": TIME_ORDER.get(config.kind, "none"),
        "instants": _instants_json(instants),
        "parts": facts,
        "cold": {name: _cold(tables[name], tables["train"]) for name in PARTS[1:]},
        "overlap": overlap,
        "train_share_after_first_test": _late_share(tables),
        "duplicates": dict(duplicates),
    }


def verify_audit(parts: Parts, recorded: Mapping[str, Any], config: SplitConfig) -> None:
    """Compute the audit again from the parts and compare it with the recorded one.

    The instants and the counts of duplicates are taken from the record, since the parts do not
    hold them; that every row is on its side of the instants is proved again.

    Raises
    ------
    LeakError
        Names every fact that differs, with both values.
    DataError
        The record lacks the instants or the duplicates.
    """
    absent = [key for key in ("instants", "duplicates") if key not in recorded]
    if absent:
        raise DataError(f"the split's audit has no {', '.join(absent)}; run the split stage again")
    found = audit(parts, _instants(recorded["instants"]), config, recorded["duplicates"])
    told, seen = dict(_leaves(recorded)), dict(_leaves(found))
    differing = [
        f"{key}: recorded {told.get(key, 'nothing')}, found {seen.get(key, 'nothing')}"
        for key in [*seen, *(key for key in told if key not in seen)]
        if key not in told or key not in seen or told[key] != seen[key]
    ]
    if differing:
        raise LeakError(f"the split does not match its audit: {'; '.join(differing)}")


def content_sha256(part: pd.DataFrame) -> str:
    """SHA-256 of a part's ids, ratings and times, row order included, column types not."""
    return _sha256(to_polars(part))


def _sha256(table: pl.DataFrame) -> str:
    arrays: dict[str, np.ndarray] = {}
    for column in table.drop(ROW):
        if column.dtype == pl.String:
            arrays[f"{column.name}.lengths"] = column.str.len_bytes().to_numpy()
            text = column.str.join("").item() if len(column) else ""
            arrays[column.name] = np.frombuffer(text.encode(), dtype=np.uint8)
        else:
            wide = pl.Int64 if column.dtype.is_integer() and column.name != "rating" else pl.Float64
            arrays[column.name] = column.cast(wide).to_numpy()
    return arrays_sha256(arrays)


def _facts(table: pl.DataFrame) -> dict[str, Any]:
    times = table[TIMESTAMP] if TIMESTAMP in table.columns else pl.Series([], dtype=pl.Int64)
    return {
        "rows": table.height,
        "users": table[USER].n_unique(),
        "items": table[ITEM].n_unique(),
        "first_time": times.min(),
        "last_time": times.max(),
        "sha256": _sha256(table),
    }


def _overlap(tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Rows of the later part whose pair the earlier part holds, for each two parts."""
    pair = [USER, ITEM]
    keys = pair_keys(pl.concat([table.select(pair) for table in tables.values()]))
    if keys.n_unique() == len(keys):
        return {f"{earlier} and {later}": 0 for earlier, later in combinations(PARTS, 2)}
    return {
        # The earlier part is probed, so that the hash table holds the later, smaller one.
        f"{earlier} and {later}": tables[earlier].join(tables[later], on=pair, how="semi").height
        for earlier, later in combinations(PARTS, 2)
    }


def _prove_order(facts: Mapping[str, Mapping[str, Any]], instants: Instants) -> None:
    for part, instant, begins in (
        ("train", instants.validation, "validation"),
        ("validation", instants.test, "test"),
    ):
        last, first = facts[part]["last_time"], facts[begins]["first_time"]
        if last is not None and last >= instant:
            raise LeakError(
                f"{part} holds a row at {moment(last)}, but {begins} begins at {moment(instant)}"
            )
        if first is not None and first < instant:
            raise LeakError(
                f"{begins} holds a row at {moment(first)}, but it begins at {moment(instant)}"
            )


def _cold(part: pl.DataFrame, train: pl.DataFrame) -> dict[str, int]:
    cold = {
        column: ~part[column].is_in(train[column].unique().implode()) for column in (USER, ITEM)
    }
    return {
        "users": part[USER].filter(cold[USER]).n_unique(),
        "items": part[ITEM].filter(cold[ITEM]).n_unique(),
        "rows_of_cold_users": int(cold[USER].sum()),
        "rows_of_cold_items": int(cold[ITEM].sum()),
        "rows": int((cold[USER] | cold[ITEM]).sum()),
    }


def _late_share(tables: Mapping[str, pl.DataFrame]) -> float | None:
    if any(TIMESTAMP not in table.columns for table in tables.values()):
        return None
    first_test = tables["test"][TIMESTAMP].min()
    train = tables["train"][TIMESTAMP]
    if first_test is None or train.is_empty():
        return None
    return int((train > first_test).sum()) / len(train)


def _instants_json(instants: Instants | None) -> dict[str, int] | None:
    return None if instants is None else {"validation": instants.validation, "test": instants.test}


def _instants(recorded: Mapping[str, int] | None) -> Instants | None:
    return None if recorded is None else Instants(**recorded)


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and plain values of nested dictionaries."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value
