"""Proof that the parts of a split do not leak, and the check that they are still the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from cofilter.core.columns import ITEM, TIMESTAMP, USER, WEIGHT
from cofilter.core.errors import DataError, LeakError
from cofilter.core.parts import PARTS, Parts, content_sha256
from cofilter.preparation.given import leaks
from cofilter.preparation.instants import Instants
from cofilter.preparation.order import GLOBAL, prove_order
from cofilter.preparation.split import SplitConfig
from cofilter.preparation.tables import pair_keys, to_polars

PRUNED = "pruned"  # what a filter dropped, which the parts do not hold


def audit(
    parts: Parts,
    instants: Instants | None,
    config: SplitConfig,
    duplicates: Mapping[str, Any],
    validation: str | None = None,
) -> dict[str, Any]:
    """State, from the parts themselves, what makes the split trustworthy.

    Parameters
    ----------
    instants:
        The cuts that made the parts; None for kinds without.
    duplicates, validation:
        From the report of `split_ratings`, which the parts cannot show any more.

    Returns
    -------
    JSON-able: ``kind``; ``time_order``, which the parts show (``global``, ``per user``, or
    ``none`` for the random kinds, see `prove_order` and, for ``given``, `leaks`); ``temporal``
    (true when it is ``global``: every train row is before every validation row and those before
    every test row);
    ``instants``; for each part its rows, users, items, first and last time (null without) and
    SHA-256, and where rows have weights ``effective_rows``, (Σ w)² / Σ w² (Kish 1965); for
    validation and test the ``cold`` users and items (not in train) and their rows;
    the ``overlap`` of (user, item) pairs between parts, always 0;
    ``train_share_after_first_test``, the share of train rows later than the earliest test row
    (null without timestamps; 0 under ``global_temporal``); ``duplicates``; and for ``given`` alone
    ``published``, the facts of `leaks`.

    Raises
    ------
    LeakError
        A (user, item) pair is in two parts or twice in one, or the rows are not in the order
        that the kind promises.
    """
    tables = {name: to_polars(part) for name, part in parts.named()}
    overlap = _overlap(tables)
    facts = {name: _facts(part, tables[name]) for name, part in parts.named()}
    if (instants is not None) != (config.kind == "global_temporal"):
        raise LeakError(f"kind {config.kind} with instants {instants}: these do not go together")
    policy = duplicates.get("policy")
    if policy != config.duplicates:
        raise LeakError(
            f"duplicates were settled by {policy}, but split.duplicates is {config.duplicates}"
        )
    published = {}
    if config.kind == "given":
        if validation is None:
            raise LeakError("kind given, and nothing says where its validation part is from")
        order, facts_in_time = leaks(tables, validation)
        published = {"published": facts_in_time}
    else:
        order = prove_order(tables, config.kind, instants)
    return {
        "kind": config.kind,
        "temporal": order == GLOBAL,
        "time_order": order,
        "instants": _instants_json(instants),
        "parts": facts,
        "cold": {name: _cold(tables[name], tables["train"]) for name in PARTS[1:]},
        "overlap": overlap,
        "train_share_after_first_test": _late_share(tables),
        "duplicates": dict(duplicates),
        **published,
    }


def verify_audit(parts: Parts, recorded: Mapping[str, Any], config: SplitConfig) -> None:
    """Compute the audit again from the parts and compare it with the recorded one.

    The instants, the counts of duplicates and where the validation part of a published split is
    from are taken from the record, since the parts do not hold them; what a filter pruned is
    `cofilter.preparation.pruned.verify_pruned`'s. That every row is on its side
    of the instants is proved again, and so is the order of each user's rows: parts that break it
    fail whatever the record says.

    Raises
    ------
    LeakError
        Names every fact that differs, with both values.
    DataError
        The record lacks the instants, the duplicates or, for ``given``, ``published``.
    """
    needed = ("instants", "duplicates") + ("published",) * (config.kind == "given")
    absent = [key for key in needed if key not in recorded]
    if absent:
        raise DataError(f"the split's audit has no {', '.join(absent)}; run the split stage again")
    validation = recorded["published"]["validation"] if config.kind == "given" else None
    instants = _instants(recorded["instants"])
    found = audit(parts, instants, config, recorded["duplicates"], validation)
    of_parts = {key: value for key, value in recorded.items() if key != PRUNED}
    before, now = dict(_leaves(of_parts)), dict(_leaves(found))
    differing = [
        f"{key}: recorded {before.get(key, 'nothing')}, found {now.get(key, 'nothing')}"
        for key in [*now, *(key for key in before if key not in now)]
        if key not in before or key not in now or before[key] != now[key]
    ]
    if differing:
        raise LeakError(f"the split does not match its audit: {'; '.join(differing)}")


def _facts(part: pd.DataFrame, table: pl.DataFrame) -> dict[str, Any]:
    times = table[TIMESTAMP] if TIMESTAMP in table.columns else pl.Series([], dtype=pl.Int64)
    return {
        "rows": table.height,
        "users": table[USER].n_unique(),
        "items": table[ITEM].n_unique(),
        "first_time": times.min(),
        "last_time": times.max(),
        "sha256": content_sha256(part),
        **_weights(table),
    }


def _weights(table: pl.DataFrame) -> dict[str, float]:
    """How many rows of equal weight would tell as much: (Σ w)² / Σ w²; 0 without any weight."""
    if WEIGHT not in table.columns:
        return {}
    weight = table[WEIGHT].to_numpy().astype(np.float64)
    squares = float((weight**2).sum())
    return {"effective_rows": float(weight.sum()) ** 2 / squares if squares else 0.0}


def _overlap(tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Rows whose pair two parts hold, for each two parts: all 0, or a `LeakError` with counts."""
    pair = [USER, ITEM]
    keys = pair_keys(pl.concat([table.select(pair) for table in tables.values()]))
    if keys.n_unique() == len(keys):
        return {f"{earlier} and {later}": 0 for earlier, later in combinations(PARTS, 2)}
    shared = {
        f"{earlier} and {later}": tables[earlier].join(tables[later], on=pair, how="semi").height
        for earlier, later in combinations(PARTS, 2)
    }
    named = [f"{names} {count}" for names, count in shared.items() if count]
    if named:
        raise LeakError(f"(user, item) pairs in two parts of the split: {', '.join(named)}")
    repeated = {name: int(pair_keys(table).is_duplicated().sum()) for name, table in tables.items()}
    named = [f"{name} {count} rows" for name, count in repeated.items() if count]
    raise LeakError(f"(user, item) pairs twice in a part of the split: {', '.join(named)}")


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
