"""What is served is what was scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter import EASE, BiasBaseline, ImplicitALS
from cofilter.core.errors import DataError
from cofilter.core.parts import Parts
from cofilter.recommender.base import Recommender
from cofilter.release.index import FOLDER, index_of
from cofilter.release.manifest import write_manifest
from cofilter.scoring.config import ScoreConfig
from cofilter.scoring.scores import score
from cofilter.serving.verify import Ask, asking, is_indexed, verify_served
from tests.serving.service import Service, ratings, saved

CONFIG = ScoreConfig(k=(5, 10), relevance_threshold=4.0)


@pytest.fixture(scope="module")
def parts() -> Parts:
    """A split at random; validation and test have items and users that train does not."""
    table = ratings(seed=3, n_users=80, n_items=50)
    part = np.random.default_rng(0).choice(3, len(table), p=[0.6, 0.2, 0.2])
    train = (part == 0) & (table["item_id"] < 45) & (table["user_id"] < 175)
    rest = table[~train & (part > 0)]
    in_validation = part[rest.index] == 1
    return Parts(table[train], rest[in_validation], rest[~in_validation])


@pytest.fixture(scope="module")
def refitted(parts: Parts) -> dict[str, Recommender]:
    """Models as they are shipped: fitted on train and validation."""
    known = pd.concat([parts.train, parts.validation])
    scale = (1.0, 5.0)
    return {
        "ease": EASE(kind="rating", scale=scale).fit(known),
        "als": ImplicitALS(dim=5, epochs=4, scale=scale).fit(known),
        "bias": BiasBaseline(scale=scale).fit(known),
    }


def test_served_lists_are_the_scored_ones(
    refitted: dict[str, Recommender], parts: Parts, tmp_path: Path
) -> None:
    folders = [saved(model, tmp_path / name) for name, model in refitted.items()]
    with Service(folders, {"workers": 2}) as service:
        for name, model in refitted.items():
            found = verify_served(asking(service.url), name, model, parts, CONFIG)
            scored = score(model, parts.train, parts.validation, parts.test, CONFIG)
            expected = scored.summary()["warm"]
            assert found.exact
            assert found.served["ndcg@10"] == expected["ndcg@10"] is not None
            assert found.users == scored.summary()["counts"]["warm"]["ranked_users"] > 40
        other = verify_served(asking(service.url), "als", refitted["ease"], parts, CONFIG)
        assert not other.exact
        assert len(other.other) > other.users / 2
        with pytest.raises(DataError, match="no model of this name"):
            verify_served(asking(service.url), "none", refitted["als"], parts, CONFIG)


def test_lists_through_the_index_have_the_scored_figures_within_its_recall(
    refitted: dict[str, Recommender], parts: Parts, tmp_path: Path
) -> None:
    """What a user has rated takes no place, also where lists are re-ranked."""
    model = refitted["als"]
    folder = saved(model, tmp_path / "als")
    index, measured = index_of(model)
    index.save(folder / FOLDER, measured)
    write_manifest(folder)
    with Service([folder], {"index": "always"}) as service:
        ask = asking(service.url)
        assert is_indexed(ask, "als")
        found = verify_served(ask, "als", model, parts, CONFIG)
        assert found.recall >= measured.recall - 0.01
        assert found.served["ndcg@10"] == pytest.approx(found.scored["ndcg@10"], abs=0.01)
        for further in ({}, {"rerank": {"kind": "popularity", "strength": 0.3}}):
            body = {"user": 101, "k": 50, **further}
            listed = [each["item"] for each in service.ok("/recommend", body)["items"]]
            own = pd.concat([parts.train, parts.validation]).query("user_id == 101")["item_id"]
            assert sorted(listed) == sorted(set(model.items_.ids.tolist()) - set(own))
    with Service([folder]) as service:
        assert not is_indexed(asking(service.url), "als")  # too few items
        with pytest.raises(DataError, match="no model 'none'"):
            is_indexed(asking(service.url), "none")


def test_one_changed_list_is_found(refitted: dict[str, Recommender], parts: Parts) -> None:
    """A service that swaps two items of one user."""
    model = refitted["als"]
    in_train = parts.train["item_id"].unique()
    victim = int(parts.train["user_id"].iloc[0])

    def ask(path: str, body: dict) -> dict:
        requests = body.get("requests", [body])
        lists = []
        for request in requests:
            user = request["user"]
            pairs = pd.DataFrame({"user_id": user, "item_id": request["exclude"]})
            items = model.recommend(user, request["k"], exclude=pairs)[0][0].tolist()
            assert set(items) <= set(in_train)
            if user == victim:
                items[:2] = items[1::-1]
            lists.append({"items": [{"item": item} for item in items], "fallback": None})
        return {"lists": lists} if "requests" in body else lists[0]

    served: Ask = ask
    found = verify_served(served, "als", model, parts, CONFIG)
    assert found.other == [victim]
    assert not found.exact


def test_no_service_is_one_clear_line() -> None:
    with pytest.raises(DataError, match="no answer of a service"):
        asking("http://127.0.0.1:9")("/recommend", {})
