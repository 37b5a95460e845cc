"""A small log with titles, and models of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import cofilter
from cofilter.core.columns import GENRES, ITEM, RATING, TIMESTAMP, TITLE, USER
from cofilter.recommender.base import Recommender
from cofilter.release.card import model_card
from cofilter.release.catalogue import Catalogue
from cofilter.release.export import export

# What a title must not do: run in a page, or move a terminal's cursor.
HOSTILE = {3: "<img src=x onerror=alert(1)>", 4: "\x1b[2J\x1b[31mred", 5: '=cmd|" /C calc"!A0'}


@cache
def log() -> pd.DataFrame:
    """About 900 ratings of 60 users and 30 items, 1 to 5, a second apart."""
    rng = np.random.default_rng(7)
    user, item = np.nonzero(rng.random((60, 30)) < 0.5)
    taste = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 30))
    rating = np.clip(np.rint(3.2 + taste[user, item]), 1, 5)
    order = rng.permutation(len(user))
    return pd.DataFrame(
        {
            USER: user[order] + 1,
            ITEM: item[order] + 1,
            RATING: rating[order],
            TIMESTAMP: 1_000_000_000 + np.arange(len(user)),
        }
    )


@cache
def items() -> pd.DataFrame:
    titles = [HOSTILE.get(n, f"Film number {n} ({1970 + n})") for n in range(1, 31)]
    genres = ["Drama|War" if n % 2 else "Comedy" for n in range(1, 31)]
    return pd.DataFrame({ITEM: range(1, 31), TITLE: titles, GENRES: genres})


@cache
def als() -> Recommender:
    return cofilter.ImplicitALS(dim=4, epochs=3, scale=(1.0, 5.0)).fit(log())


@cache
def factors() -> Recommender:
    """Predicts ratings."""
    return cofilter.ExplicitALS(dim=4, epochs=4, patience=None, scale=(1.0, 5.0)).fit(log())


def exported(model: Recommender, folder: Path, *, index: bool = False) -> Path:
    """The folder, with an exported model in it."""
    catalogue = Catalogue.of(model.items_, items())
    card = model_card("als/test", model, folder)
    export(model, catalogue, card, folder, index=index)
    return folder
