"""Models for the page: one measured, one that predicts, scales of every kind, hostile titles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cofilter import EASE, GlobalMean, ItemKNN, Popularity
from cofilter.core.columns import ITEM, RATING
from cofilter.core.io import write_json
from cofilter.recommender.base import Recommender
from cofilter.release.catalogue import Catalogue
from cofilter.release.manifest import write_manifest
from cofilter.release.opened import CARD, NAMES
from tests.serving.service import ratings

FIRST = 2**53 + 1  # ids that a double cannot hold: rounded ones would be other items
FEW = 20  # items that the model `few` knows
STARS = (1.0, 5.0)
IMAGE = "<img src=x onerror=alert(1)>"
ESCAPE = "\x1b[31mRed\x1b[0m, =1+1"
TITLES = {1: IMAGE, 2: ESCAPE, 3: "Zoë 東京"}
CARD_OF_EASE = {
    "data": {
        "name": "films <b>",
        "rows": 1234,
        "users": 60,
        "items": 40,
        "licence": "for research alone",
        "until": "2024-05-06",
    },
    "fitted_on": {"parts": ["train", "validation"], "rows": 1100, "until": "2024-03-02"},
    "metrics": {
        "users": 52,
        "confidence_level": 0.95,
        "model": {"rmse": {"value": 0.9}, "ndcg@10": {"value": 0.31, "low": 0.2, "high": 0.4}},
        "popularity": {"ndcg@10": {"value": 0.21, "low": 0.1, "high": 0.3}},
    },
    "limits": ["It ranks; it does not predict ratings."],
}


def item(number: int) -> int:
    """The id of an item."""
    return FIRST + number


def title(number: int) -> str:
    """The title of an item."""
    return TITLES.get(number, f"Film {number:02d}")


def folders(place: Path) -> list[Path]:
    """Folders of all models, the default first."""
    table = ratings()
    table[ITEM] += FIRST
    few = table[table[ITEM] < item(FEW)]
    ones = table.assign(**{RATING: 1.0})
    words = table.assign(**{ITEM: "id-" + (table[ITEM] - FIRST).astype(str)})
    models: dict[str, tuple[Recommender, pd.DataFrame]] = {
        "ease": (EASE(kind="rating", l2=20.0, scale=STARS), table),
        "knn": (ItemKNN(k=10, scale=STARS), table),
        "few": (EASE(kind="rating", scale=STARS), few),
        "mean": (GlobalMean(scale=STARS), table),
        "halves": (Popularity(scale=(0.5, 5.0)), table),
        "points": (Popularity(scale=(0.0, 100.0)), table),
        "clicks": (EASE(), ones),
        "words": (Popularity(scale=STARS), words),
    }
    return [_saved(model.fit(rows), place / name) for name, (model, rows) in models.items()]


def _saved(model: Recommender, folder: Path) -> Path:
    model.save(folder, mapped=True)
    if folder.name != "words":
        _catalogue(model).write(folder / NAMES)
    if folder.name == "ease":
        write_json(folder / CARD, CARD_OF_EASE)
    write_manifest(folder)
    return folder


def _catalogue(model: Recommender) -> Catalogue:
    ids = model.items_.ids.tolist()
    rows: list[dict[str, Any]] = [
        {
            ITEM: each,
            "title": title(each - FIRST),
            "genres": "Comedy|<i>Drama</i>" if each % 2 else "",
        }
        for each in ids
    ]
    return Catalogue.of(model.items_, pd.DataFrame(rows))
