from __future__ import annotations

import numpy as np
import pandas as pd

from cofilter.report.charts.catalogue import NAMES, beyond_accuracy, item_maps

BOARD = pd.DataFrame(
    {
        "model": ["mf/a-seed0", "knn/item", "mf/b-seed0"],
        "family": ["mf", "knn", "mf"],
        "warm_ndcg@10": [0.1, 0.2, 0.3],
        "warm_coverage@10": [0.5, 0.1, 0.3],
        "warm_popularity@10": [0.2, 0.4, 0.3],
        "warm_consumed_popularity": 0.25,
    }
)


def test_beyond_accuracy_shows_what_is_measured() -> None:
    drawn = list(beyond_accuracy(BOARD, ["mf/a-seed0", "knn/item"], "ndcg@10"))
    assert [figure.title for figure in drawn] == [
        "Coverage of the catalogue",
        "Popularity of what is recommended",
    ]
    coverage, popularity = drawn
    assert coverage.reading == "Lowest 0.1 by knn/item, highest 0.5 by mf/a."
    assert "mf/b" not in coverage.svg["wide"]
    assert "(0.250)" in popularity.caption


def test_items_are_named_by_their_titles_and_not_over_each_other() -> None:
    rng = np.random.default_rng(0)
    titles = [f"A film with a rather long name {n} (1990)" for n in range(60)]
    ratings = np.arange(60)[::-1]
    factors = pd.DataFrame({"model": "mf/a", "item_id": range(60), "title": titles})
    factors = factors.assign(ratings=ratings, share=0.4)
    factors[["x", "y"]] = rng.normal(size=(60, 2))
    pairs = [(one, other) for one in range(3) for other in range(3) if one != other]
    similarity = pd.DataFrame(
        {
            "model": "knn/item",
            "item_id": [one for one, _ in pairs],
            "title": [f"Film {one} (1990)" for one, _ in pairs],
            "order": [one for one, _ in pairs],
            "other_item": [other for _, other in pairs],
            "other_title": [f"Film {other} (1990)" for _, other in pairs],
            "other_order": [other for _, other in pairs],
            "similarity": [0.9 if {*pair} == {0, 2} else -0.1 for pair in pairs],
        }
    )
    alike, plane = item_maps(similarity, factors)
    assert alike.reading.startswith("Closest pair: Film")
    assert "0.90" in alike.reading
    assert alike.svg["wide"].count(">Film 1<") == 2  # once on each axis
    assert "40%" in plane.caption
    named = plane.svg["wide"].count("…</text>") / 2  # each with its white edge
    assert 1 <= named <= NAMES["half"]
    assert list(item_maps(similarity.iloc[:0], factors.iloc[:0])) == []
