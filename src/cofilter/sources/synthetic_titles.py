"""Made-up titles and genres for made-up items."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.core.columns import GENRES, ITEM, TITLE

_FIRST = [
    "Quiet",
    "Crimson",
    "Hidden",
    "Golden",
    "Broken",
    "Distant",
    "Silver",
    "Burning",
    "Frozen",
    "Hollow",
    "Gentle",
    "Midnight",
    "Wandering",
    "Forgotten",
    "Electric",
    "Painted",
    "Lonely",
    "Velvet",
    "Savage",
    "Paper",
    "Restless",
    "Northern",
    "Empty",
    "Lucky",
]
_SECOND = [
    "Harbour",
    "Orchard",
    "Empire",
    "Lantern",
    "River",
    "Station",
    "Garden",
    "Promise",
    "Mirror",
    "Summer",
    "Detective",
    "Orchestra",
    "Island",
    "Letter",
    "Machine",
    "Carnival",
    "Winter",
    "Stranger",
    "Kingdom",
    "Avenue",
    "Tiger",
    "Signal",
    "Market",
    "Voyage",
]
_GENRES = [
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]


def describe_items(
    factors: np.ndarray, release: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """item_id (1 … n), a title with number and year of release, and 1 to 3 genres.

    Genres follow the items' true factors (float64[n, factors]): each genre has a direction, and an
    item is of those that it points to most.
    """
    items = len(factors)
    year = release.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    first, second = rng.integers(len(_FIRST), size=items), rng.integers(len(_SECOND), size=items)
    best = np.argsort(-factors @ rng.standard_normal((factors.shape[1], len(_GENRES))), axis=1)
    number = rng.integers(1, 4, size=items)
    rows = zip(first, second, year, best, number, strict=True)
    described = [
        (
            index,
            f"The {_FIRST[a]} {_SECOND[b]} #{index} ({when})",
            "|".join(sorted(_GENRES[g] for g in chosen[:count])),
        )
        for index, (a, b, when, chosen, count) in enumerate(rows, start=1)
    ]
    return pd.DataFrame(described, columns=[ITEM, TITLE, GENRES])
