"""The model card: what a model was made of, how good it was measured to be, what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from cofilter.core.io import read_json
from cofilter.core.paths import RESULTS
from cofilter.evaluation.files import COLD_START, FACTS, LEADERBOARD
from cofilter.evaluation.leaderboard import FAMILY, POINT, column, notes_in
from cofilter.recommender.base import Recommender
from cofilter.release.card_text import HIGH, LOW
from cofilter.release.checkout import home

POPULARITY = "baseline/popularity"
ERRORS = ("rmse", "mae")
RANKED = ("ndcg", "precision", "recall", "hit_rate", "mrr", "map", "coverage", "novelty")
EVERYTHING = ("train", "validation", "test")


def model_card(
    name: str, model: Recommender, folder: Path, fitted_on: tuple[str, ...] | None = None
) -> dict[str, Any]:
    """The card of a model as JSON.

    Parameters
    ----------
    name:
        family/point, by which it stands on the leaderboard of the checkout it lies in.
    folder:
        The trained model's; figures and data come from the results of its checkout, and where it
        lies in none, or was not evaluated, the card says so.
    fitted_on:
        Parts of the split that ``model`` itself was fitted on; None: as it was evaluated.
    """
    results = home(folder) / RESULTS
    card = _identity(name, model)
    facts = read_json(results / FACTS) if (results / FACTS).is_file() else None
    row = _row(name, results)
    if facts is None or row is None:
        limits = ["It was not evaluated: nothing is known of its quality.", *_limits(model)]
        return card | {"data": None, "fitted_on": None, "metrics": None, "limits": limits}
    everything = fitted_on == EVERYTHING
    rows, until = _fitted(facts, everything)
    notes = notes_in(_leaderboard(results))
    return card | {
        "data": _data(facts),
        "fitted_on": {
            "parts": list(fitted_on or ("train", "validation")),
            "rows": rows,
            "until": until,
        },
        "split": {key: facts["split"][key] for key in ("kind", "temporal", "instants")},
        "chosen": _chosen(name, facts),
        "metrics": _metrics(name, row, facts, results),
        "cold_start": _cold_start(name, results),
        "limits": [*notes, *_limits(model), *_refitted(everything)],
    }


def _identity(name: str, model: Recommender) -> dict[str, Any]:
    return {
        "name": name,
        "class": type(model).__name__,
        "cofilter": version("cofilter"),
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": model.config.model_dump(mode="json"),
        "users": len(model.users_),
        "items": len(model.items_),
        "ids": {
            side: "integers" if ids.ids.dtype.kind == "i" else "strings"
            for side, ids in (("users", model.users_), ("items", model.items_))
        },
        "scale": list(model.scale_),
        "predicts_ratings": model.predicts_ratings,
        "ranks": model.ranks,
        "data_sha256": model.data_sha256_,
    }


def _leaderboard(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / LEADERBOARD)


def _row(name: str, results: Path) -> dict[str, Any] | None:
    if not (results / LEADERBOARD).is_file():
        return None
    table = _leaderboard(results)
    own = table[table[FAMILY] + "/" + table[POINT] == name]
    return None if own.empty else {str(k): v for k, v in own.to_dict("records")[0].items()}


def _data(facts: Mapping[str, Any]) -> dict[str, Any]:
    source, parts = facts["source"], facts["split"]["parts"]
    kept = ("name", "origin", "homepage", "licence", "rows", "users", "items", "scale", "form")
    times = [parts[name][end] for name in EVERYTHING for end in ("first_time", "last_time")]
    known = [time for time in times if time is not None]
    return {key: source.get(key) for key in kept} | {
        "feedback": facts["feedback"],
        "from": _day(min(known, default=None)),
        "until": _day(max(known, default=None)),
        "warnings": source.get("warnings", []),
    }


def _fitted(facts: Mapping[str, Any], everything: bool) -> tuple[int | None, str | None]:
    """Rows that the model was fitted on, and the day of the latest."""
    if not everything:
        trained = facts["trained"] or {"rows": None, "until": None}
        return trained["rows"], _day(trained["until"])
    parts = [facts["split"]["parts"][name] for name in EVERYTHING]
    times = [part["last_time"] for part in parts if part["last_time"] is not None]
    return sum(part["rows"] for part in parts), _day(max(times, default=None))


def _chosen(name: str, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Why it ships, when it is what the evaluation chose."""
    chosen = facts["shipped"]
    if chosen is None or f"{chosen['family']}/{chosen['point']}" != name:
        return None
    kept = ("chosen_on", "figure", "candidates", "runner_up", "runner_up_figure", "gain")
    return {"primary": facts["evaluate"]["primary"]} | {key: chosen[key] for key in kept}


def _metrics(
    name: str, row: Mapping[str, Any], facts: Mapping[str, Any], results: Path
) -> dict[str, Any]:
    """Figures on warm test rows, with intervals, beside popularity's."""
    _, _, k = facts["evaluate"]["primary"].partition("@")
    length = k or str(facts["evaluate"]["k"][0])
    names = [*ERRORS, *(f"{metric}@{length}" for metric in RANKED)]
    other = None if name == POPULARITY else _row(POPULARITY, results)
    users = row.get(column("warm", "ranked_users"))
    return {
        "scope": "warm test users and items",
        "users": None if pd.isna(users) else int(users),
        "confidence_level": facts["evaluate"]["uncertainty"]["confidence_level"],
        "model": _figures(row, names),
        "popularity": {} if other is None else _figures(other, names),
    }


def _figures(row: Mapping[str, Any], names: list[str]) -> dict[str, dict[str, float]]:
    found = {}
    for name in names:
        values = {
            end: row.get(column("warm", name + suffix))
            for end, suffix in (("value", ""), (LOW, f"_{LOW}"), (HIGH, f"_{HIGH}"))
        }
        known = {end: float(value) for end, value in values.items() if pd.notna(value)}
        if "value" in known:
            found[name] = known
    return found


def _cold_start(name: str, results: Path) -> list[dict[str, Any]]:
    """Quality by the number of a new user's ratings that are known."""
    path = results / COLD_START
    if not path.is_file():
        return []
    table = pd.read_csv(path)
    kept = ["revealed", "users", "rmse", "ndcg", "ndcg_low", "ndcg_high"]
    rows = table.loc[table["model"] == name, kept].to_dict("records")
    return [{str(key): value for key, value in row.items() if pd.notna(value)} for row in rows]


def _refitted(everything: bool) -> list[str]:
    if not everything:
        return []
    return [
        "The figures are of the same method fitted without the test rows. This model is fitted on "
        "all rows, and no rows are left to measure it on."
    ]


def _limits(model: Recommender) -> list[str]:
    lines = [
        "Items and users that came after the data are unknown to it: a new item is never "
        "recommended, an unknown user gets the most popular items.",
    ]
    if not model.predicts_ratings:
        lines.append("It ranks; it does not predict ratings.")
    if not model.ranks:
        lines.append("It predicts ratings; it does not rank.")
    if model.histories_ is None:
        lines.append("It does not know what its users have rated and cannot leave that out.")
    if model.histories_ is not None and model.histories_.weight is not None:
        lines.append("Its rows had weights.")
    return lines


def _day(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).date().isoformat()
