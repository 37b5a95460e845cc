from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter import EASE, ImplicitALS, ItemKNN, Popularity, Recommender
from cofilter.core.columns import ITEM, RANK, RATING, SCORE, USER
from cofilter.core.config import parse
from cofilter.core.errors import CapabilityError, ConfigError, DataError
from cofilter.models.baseline.model import GlobalMean
from cofilter.reranking.config import KINDS, Kind, RerankingConfig
from cofilter.reranking.genres import Genres
from cofilter.reranking.reranker import Reranker
from tests.reranking import oracle

NAMES = ("action", "comedy", "drama", "film noir")
N_USERS, N_ITEMS, UNKNOWN_USER = 40, 30, "nobody"


def make_table() -> pd.DataFrame:
    """Ratings under string ids, popular items and groups of users with a taste among them."""
    rng = np.random.default_rng(5)
    user, item = (each.ravel() for each in np.indices((N_USERS, N_ITEMS)))
    alike = user % 3 == item % 3
    rated = rng.random(len(user)) < np.where(alike, 0.5, 0.12) + 0.3 * (item < 5)
    table = pd.DataFrame(
        {USER: [f"u{n:02}" for n in user[rated]], ITEM: [f"i{n:02}" for n in item[rated]]}
    )
    return table.assign(**{RATING: rng.integers(1, 6, len(table)).astype(float)})


def make_genres() -> pd.Series:
    """Genres of most items; of some none, of one an empty text, and of one that nobody rated."""
    rng = np.random.default_rng(6)
    of = {
        f"i{n:02}": "|".join(rng.choice(NAMES, rng.integers(1, 4), replace=False))
        for n in range(N_ITEMS)
        if n % 7
    }
    return pd.Series({**of, "i07": "", "elsewhere": "western"})


TABLE, GENRES = make_table(), make_genres()
USERS = np.array([*TABLE[USER].unique()[:9], UNKNOWN_USER], object)


def how(kind: Kind, strength: float = 0.6, depth: int = 12) -> RerankingConfig:
    return RerankingConfig(kind=kind, strength=strength, depth=depth)


@pytest.fixture(scope="module")
def models() -> dict[str, Recommender]:
    """One with a co-occurrence, one with factors, one that is silent of many items."""
    return {
        "ease": EASE().fit(TABLE),
        "als": ImplicitALS(dim=4, epochs=3).fit(TABLE),
        "knn": ItemKNN(k=2, min_overlap=6).fit(TABLE),
    }


@pytest.fixture(params=["ease", "als", "knn"])
def model(request: pytest.FixtureRequest, models: dict[str, Recommender]) -> Recommender:
    return models[request.param]


@pytest.fixture
def again(model: Recommender) -> Reranker:
    return Reranker(model, GENRES)


def equal(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def expected(model: Recommender, users: Any, config: RerankingConfig, k: int) -> list[list[str]]:
    """Lists by the oracle, from the model's own lists and all that is known of the users."""
    items, scores, own = model.rank_own(users, config.depth, model.excluded(users, True, None))
    known = users if isinstance(users, np.ndarray) else users.ids
    ids = model.items_.ids
    genres: list[list[str]] = [
        sorted(filter(None, set(GENRES.get(item, "").split("|")))) for item in ids
    ]
    if hasattr(model, "item_"):
        vectors = model.item_[:, :-1]
    else:
        vectors = pd.crosstab(TABLE[ITEM], TABLE[USER]).loc[ids].to_numpy(np.float64)
    lists = []
    for user, row, score, n in zip(known, items, scores, own, strict=True):
        mine, values = row[:n].tolist(), score[:n].astype(float).tolist()
        given = mine, values, config.strength
        if config.kind == "mmr":
            places = oracle.mmr(*given, vectors, k)
        elif config.kind == "popularity":
            places = oracle.popularity(*given, model.popularity_, k)
        else:
            history = model.items_.index(TABLE[TABLE[USER] == user][ITEM]).tolist()
            places = oracle.genres(*given, history, genres, k)
        lists.append([ids[row[at]] for at in [*places, *range(n, len(row))][:k]])
    return lists


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_lists_are_those_of_the_formula_for_known_unknown_and_folded_in(
    again: Reranker, kind: Kind, strength: float
) -> None:
    config = how(kind, strength)
    items, scores = again.recommend(USERS, 6, config)
    assert items.tolist() == expected(again.model, USERS, config, 6)
    assert items[-1].tolist() == again.model.recommend(UNKNOWN_USER, 6)[0][0].tolist()
    whole = again.model.recommend(USERS, N_ITEMS)
    for row, found in enumerate(zip(items, scores, strict=True)):
        own = dict(zip(whole[0][row], whole[1][row], strict=True))
        assert [own[item] for item in found[0]] == found[1].tolist()  # the model's own scores
    people = again.model.fold_in(TABLE[TABLE[USER].isin(USERS[:4])], user_ids=[UNKNOWN_USER])
    folded, _ = again.recommend(people, 6, config)
    assert folded.tolist() == expected(again.model, people, config, 6)
    assert folded[0].tolist() == again.model.recommend(people, 6)[0][0].tolist()  # has no history


@pytest.mark.parametrize("kind", KINDS)
def test_strength_0_is_the_models_own_list_to_the_bit(again: Reranker, kind: Kind) -> None:
    for k in (1, 6, 12, 99):
        found = again.recommend(USERS, k, how(kind, 0.0))
        assert equal(found, again.model.recommend(USERS, k))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_excluded_never_appears_and_every_list_is_complete(
    again: Reranker, kind: Kind
) -> None:
    known = USERS[:-1]
    whole, _ = again.recommend(known, N_ITEMS, how(kind, 1.0))
    exclude = pd.DataFrame({USER: known, ITEM: whole[:, 0]})
    items, scores = again.recommend(known, 99, how(kind, 1.0), exclude=exclude)
    for user, row, score, first in zip(known, items, scores, whole[:, 0], strict=True):
        left = set(TABLE[ITEM]) - set(TABLE[TABLE[USER] == user][ITEM]) - {first}
        assert sorted(row[np.isfinite(score)]) == sorted(left)  # k is above the catalogue
        assert set(row[~np.isfinite(score)]) <= {""}
    all_items, _ = again.recommend(known, 99, how(kind, 1.0), exclude_seen=False)
    assert all(set(row) == set(TABLE[ITEM]) for row in all_items)


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_gets_the_same_list_alone_and_again(again: Reranker, kind: Kind) -> None:
    config = how(kind)
    together = again.recommend(USERS, 6, config)
    fresh = Reranker(again.model, GENRES)
    assert equal(fresh.recommend(USERS, 6, config), together)
    for row, user in enumerate(USERS):
        alone = again.recommend(user, 6, config)
        assert equal((alone[0][0], alone[1][0]), (together[0][row], together[1][row]))
    table = again.recommend(USERS, 6, config, as_frame=True)
    assert table[ITEM].tolist() == together[0].ravel().tolist()
    assert table[SCORE].to_numpy(np.float32).tolist() == together[1].ravel().tolist()
    assert table[RANK].tolist() == [1, 2, 3, 4, 5, 6] * len(USERS)
    assert table[USER].tolist() == np.repeat(USERS, 6).tolist()


def test_the_unit_of_scores_does_not_matter(models: dict[str, Recommender]) -> None:
    again = Reranker(models["ease"], GENRES)
    items, scores, own = models["ease"].rank_own(USERS, 12)
    for kind in KINDS:
        plain, _ = again.reordered(USERS, items, scores, own, 6, how(kind))
        scaled, _ = again.reordered(USERS, items, scores * 1024 - 4096, own, 6, how(kind))
        assert np.array_equal(plain, scaled)


def test_each_kind_brings_what_it_is_for(models: dict[str, Recommender]) -> None:
    model = models["ease"]
    again, known = Reranker(model, GENRES), TABLE[USER].unique()
    popular = pd.Series(model.popularity_, model.items_.ids)

    def mean(kind: Kind, strength: float) -> float:
        items, _ = again.recommend(known, 8, how(kind, strength, depth=25))
        if kind == "popularity":
            return float(popular[items.ravel()].mean())
        if kind == "genres":
            had = again.genres.of_lists(again._histories(known))
            q = again.genres.of_padded(model.items_.index(items.ravel()).reshape(items.shape))
            far = [oracle.divergence(dict(enumerate(p)), dict(enumerate(r)))
                   for p, r in zip(had + 1e-12, q, strict=True)]  # fmt: skip
            return float(np.mean(far))
        rated = pd.crosstab(TABLE[ITEM], TABLE[USER])
        pairs = [
            oracle.cosine(rated.loc[a].to_numpy(float), rated.loc[b].to_numpy(float))
            for row in items
            for a in row
            for b in row
            if a < b
        ]
        return float(np.mean(pairs))

    for kind in KINDS:
        falling = [mean(kind, strength) for strength in (0.0, 0.4, 1.0)]
        assert falling == sorted(falling, reverse=True)
        assert falling[-1] < falling[0]


def test_genres_of_items_and_their_shares_in_lists() -> None:
    model = Popularity().fit(TABLE)
    genres = Genres.of(GENRES, model.items_)
    assert genres.names.tolist() == sorted(NAMES)  # not those of items that the model lacks
    for item, row in zip(model.items_.ids, genres.shares.toarray(), strict=True):
        named = sorted(filter(None, GENRES.get(item, "").split("|")))
        assert genres.names[row > 0].tolist() == named
        assert row.sum() == pytest.approx(1.0 if named else 0.0)
    padded = np.array([[1, 2, -1], [0, 7, -1], [-1, -1, -1]], np.int32)
    found = genres.of_padded(padded)
    assert found[0] == pytest.approx(genres.shares.toarray()[[1, 2]].mean(axis=0))
    assert not found[1:].any()  # neither i00 nor i07 has genres
    doubled = Genres.of(pd.Series({"i01": " drama | comedy |drama||"}), model.items_)
    assert doubled.names.tolist() == ["comedy", "drama"]
    assert doubled.shares.toarray()[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("genres", [None, pd.Series(dtype=object), pd.Series({"i01": ""})])
def test_without_genres_it_says_so(models: dict[str, Recommender], genres: Any) -> None:
    again = Reranker(models["ease"], genres)
    assert again.kinds == ("mmr", "popularity")
    with pytest.raises(DataError, match="none of the 30 items has a genre"):
        again.recommend(USERS, 3, how("genres"))


def test_what_a_model_cannot_do_is_refused_and_the_rest_works() -> None:
    with pytest.raises(CapabilityError, match="GlobalMean does not rank"):
        Reranker(GlobalMean().fit(TABLE))
    again = Reranker(EASE(keep_seen=False).fit(TABLE), GENRES)
    factors = Reranker(ImplicitALS(dim=2, epochs=1, keep_seen=False).fit(TABLE), GENRES)
    assert (again.kinds, factors.kinds) == (("popularity",), ("mmr", "popularity"))
    for kind in ("mmr", "genres"):
        with pytest.raises(CapabilityError, match=r"EASE was fitted with keep_seen=False"):
            again.recommend(USERS, 3, how(kind), exclude_seen=False)
    with pytest.raises(CapabilityError, match="pass exclude_seen=False"):
        again.recommend(USERS, 3, how("popularity"))
    for kind in factors.kinds:
        factors.recommend(USERS, 3, how(kind), exclude_seen=False)
    with pytest.raises(DataError, match="k: 0"):
        factors.recommend(USERS, 0, how("popularity"), exclude_seen=False)


@pytest.mark.parametrize("wrong", [{"strength": 1.5}, {"strength": -0.1}, {"depth": 0}])
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        parse(RerankingConfig, {"kind": "mmr", "strength": 0.5, **wrong})


def test_equal_candidates_stay_in_the_models_order() -> None:
    """All scores and all popularities equal: ties go by item, as the model's own."""
    pairs = [(u, i) for u in "abc" for i in "xyz" if u != i]
    table = pd.DataFrame([(u, i, 3.0) for u, i in pairs], columns=[USER, ITEM, RATING])
    again = Reranker(Popularity().fit(table))
    for kind in ("mmr", "popularity"):
        for strength in (0.5, 1.0):
            items, _ = again.recommend("a", 3, how(kind, strength), exclude_seen=False)
            assert items.tolist() == [["x", "y", "z"]]


def test_the_divergence_is_steck_s() -> None:
    p, q = {"a": 0.5, "b": 0.5}, {"a": 1.0}
    by_hand = 0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(0.5 / 0.005)
    assert oracle.divergence(p, q) == pytest.approx(by_hand)
