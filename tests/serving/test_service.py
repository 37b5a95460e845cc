"""What the service answers is what the models answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from cofilter.recommender.base import Recommender
from cofilter.reranking.config import KINDS, RerankingConfig
from cofilter.reranking.reranker import Reranker
from tests.serving.service import TITLES, Service, until

OWN = [{"item": 3, "rating": 5}, {"item": 8, "rating": 2.5}]


@pytest.mark.parametrize("name", ["ease", "als", "bias", "bpr"])
def test_lists_are_the_models_own_to_the_bit(
    service: Service, fitted: dict[str, Recommender], name: str
) -> None:
    model = fitted[name]
    users = model.users_.ids.tolist()
    items, scores = model.recommend(users, 7)
    requests = [{"user": user, "k": 7} for user in users]
    batch = service.ok("/batch", {"model": name, "requests": requests})
    alone = service.ok("/recommend", {"model": name, "user": users[3], "k": 7})
    assert (alone["model"], alone["fallback"], alone["unknown_items"]) == (name, None, 0)
    assert alone["items"] == batch["lists"][3]["items"]
    assert [[one["item"] for one in each["items"]] for each in batch["lists"]] == items.tolist()
    given = [[np.float32(one["score"]) for one in each["items"]] for each in batch["lists"]]
    assert np.array_equal(np.array(given), scores)


def test_people_are_folded_in(service: Service, fitted: dict[str, Recommender]) -> None:
    for name in ("ease", "als", "bpr"):
        table = pd.DataFrame(OWN).rename(columns={"item": "item_id"}).assign(user_id=0)
        expected, scores = fitted[name].recommend(fitted[name].fold_in(table), 5)
        found = service.ok("/recommend", {"model": name, "ratings": OWN, "k": 5})
        assert [each["item"] for each in found["items"]] == expected[0].tolist()
        assert [np.float32(each["score"]) for each in found["items"]] == scores[0].tolist()


def test_a_batch_of_all_kinds_is_each_by_itself(service: Service) -> None:
    session = service.ok("/rate", {"ratings": OWN})["session"]
    requests = [
        {"user": 101, "k": 3}, {"ratings": OWN, "k": 4}, {"ratings": []}, {"session": session},
        {"user": 102, "k": 2, "exclude_seen": False}, {"user": 102, "exclude": [0, 1, 2]},
    ]  # fmt: skip
    together = service.ok("/batch", {"requests": requests})["lists"]
    alone = [service.ok("/recommend", request) for request in requests]
    assert together == [{k: v for k, v in each.items() if k != "model"} for each in alone]
    assert [len(each["items"]) for each in together][:3] == [3, 4, 10]


def test_who_is_not_known_in_anything_gets_popularity_and_is_told(
    service: Service, fitted: dict[str, Recommender]
) -> None:
    found = service.ok("/recommend", {"ratings": [], "k": 4})
    assert found["fallback"] == "popularity"
    popular = np.argsort(-fitted["ease"].popularity_, kind="stable")[:4]
    assert [each["item"] for each in found["items"]] == popular.tolist()


def test_what_is_excluded_is_not_given(service: Service) -> None:
    first = [each["item"] for each in service.ok("/recommend", {"user": 105})["items"]]
    rest = service.ok("/recommend", {"user": 105, "exclude": first, "k": 40})["items"]
    assert not {each["item"] for each in rest} & set(first)
    everything = service.ok("/recommend", {"user": 105, "k": 1000, "exclude_seen": False})
    assert len(everything["items"]) == 40


def test_predicted_ratings(service: Service, fitted: dict[str, Recommender]) -> None:
    expected = fitted["bias"].predict(110, [4, 5]).tolist()
    found = service.ok("/predict", {"model": "bias", "user": 110, "items": [4, 5]})
    assert [each["predicted"] for each in found["items"]] == expected
    assert found["scale"] == [1.0, 5.0]
    listed = service.ok("/recommend", {"model": "bias", "user": 110, "k": 3})["items"]
    again = fitted["bias"].predict(110, [each["item"] for each in listed])
    assert [each["predicted"] for each in listed] == again.tolist()


def test_similar_items(service: Service, fitted: dict[str, Recommender]) -> None:
    items, scores, fallback = fitted["als"].similar_items(7, 4, return_fallback=True)
    found = service.ok("/similar", {"model": "als", "item": 7, "k": 4})["items"]
    assert [each["item"] for each in found] == items[0].tolist()
    assert [np.float32(each["score"]) for each in found] == scores[0].tolist()
    assert [each["fallback"] for each in found] == fallback[0].tolist()


def test_reasons_are_the_models_own(service: Service, fitted: dict[str, Recommender]) -> None:
    table = pd.DataFrame(OWN).rename(columns={"item": "item_id"}).assign(user_id=0)
    for name in ("ease", "als"):
        model = fitted[name]
        because, shares = model.explain(model.fold_in(table), 12, 3)
        found = service.ok("/explain", {"model": name, "ratings": OWN, "item": 12})["reasons"]
        given = shares[0] != 0
        assert [each["item"] for each in found] == because[0][given].tolist()
        assert [np.float32(each["share"]) for each in found] == shares[0][given].tolist()
        listed = service.ok("/recommend", {"model": name, "user": 103, "k": 2, "explain": True})
        for item in listed["items"]:
            alone = service.ok("/explain", {"model": name, "user": 103, "item": item["item"]})
            assert item["reasons"] == alone["reasons"] != []
    able = {each["name"]: each["can"]["explain"] for each in service.ok("/models")["models"]}
    assert (able["als"], able["bias"]) == (True, False)


def test_lists_are_re_ranked(service: Service, fitted: dict[str, Recommender]) -> None:
    genres = pd.Series({item: "Comedy|Drama" if item % 2 else "" for item in range(40)})
    reranker = Reranker(fitted["als"], genres)
    own = service.ok("/recommend", {"model": "als", "user": 104, "k": 6})["items"]
    for kind in KINDS:
        for strength in (0.0, 0.6):
            config = RerankingConfig(kind=kind, strength=strength)
            expected, scores = reranker.recommend([104], 6, config)
            asked = {"model": "als", "user": 104, "k": 6, "rerank": {"kind": kind}}
            asked["rerank"]["strength"] = strength
            found = service.ok("/recommend", asked)["items"]
            assert [each["item"] for each in found] == expected[0].tolist()
            assert [np.float32(each["score"]) for each in found] == scores[0].tolist()
            assert found == own or strength > 0
    mixed = [{"user": 104, "k": 6}, {"user": 104, "k": 6, "rerank": asked["rerank"]}]
    lists = service.ok("/batch", {"model": "als", "requests": mixed})["lists"]
    assert [each["items"] for each in lists] == [own, found]


def test_requests_at_one_time_are_answered_each_with_its_own(
    service: Service, fitted: dict[str, Recommender]
) -> None:
    """Many connections at once, which a worker answers with one call; one of them is refused."""
    users = [*fitted["als"].users_.ids.tolist(), 1]
    with ThreadPoolExecutor(16) as pool:
        asked = [{"model": "als", "user": user, "k": 1 + user % 9} for user in users * 3]
        answers = list(pool.map(lambda body: service.ask("/recommend", body), asked))
    for body, answer in zip(asked, answers, strict=True):
        assert answer.status == (404 if body["user"] == 1 else 200)
        if answer.status == 200:
            items, scores = fitted["als"].recommend(body["user"], body["k"])
            found = answer.json["items"]
            assert [each["item"] for each in found] == items[0].tolist()
            assert [np.float32(each["score"]) for each in found] == scores[0].tolist()


def test_titles_are_found_and_travel_as_they_are(service: Service) -> None:
    found = service.ok("/search", {"text": "film 17", "n": 3})["items"]
    assert found[0] == {"item": 17, "title": "Film 17 (1917)", "genres": ["Comedy", "Drama"]}
    everything = service.ask("/recommend", {"user": 101, "k": 40, "exclude_seen": False})
    titles = {each["item"]: each["title"] for each in everything.json["items"]}
    assert {item: titles[item] for item in TITLES} == TITLES
    assert everything.headers["content-type"] == "application/json"
    assert b"\x1b" not in everything.body


def test_a_session_is_one_for_all_workers(service: Service) -> None:
    begun = service.ok("/rate", {"ratings": OWN})
    session = begun["session"]
    assert [(each["item"], each["rating"]) for each in begun["ratings"]] == [(3, 5.0), (8, 2.5)]
    for _ in range(6):  # on connections of their own, which either worker takes
        assert service.ok("/rate", {"session": session})["ratings"] == begun["ratings"]
    expected = service.ok("/recommend", {"ratings": OWN})
    assert service.ok("/recommend", {"session": session}) == expected
    changes = [{"item": 8, "rating": None}, {"item": 3, "rating": 1}, {"item": 9, "rating": 4}]
    changed = service.ok("/rate", {"session": session, "ratings": changes})["ratings"]
    assert [(each["item"], each["rating"]) for each in changed] == [(3, 1.0), (9, 4.0)]


def test_the_models_say_what_they_can(service: Service) -> None:
    listed = {each["name"]: each for each in service.ok("/models")["models"]}
    assert [name for name, each in listed.items() if each["default"]] == ["ease"]
    assert listed["ease"]["can"]["recommend"]
    assert not listed["ease"]["can"]["predict"]
    assert listed["mean"]["can"]["predict"]
    assert not listed["mean"]["can"]["recommend"]
    assert (listed["als"]["users"], listed["als"]["items"]) == (60, 40)


def test_every_answer_has_an_id_and_strict_headers(service: Service) -> None:
    for path in ("/health", "/nothing"):
        answer = service.ask(path, **{"x-request-id": "mine-1"})
        assert answer.headers["x-request-id"] == "mine-1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "unsafe" not in answer.headers["content-security-policy"]
    made = [service.ask("/health").headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    strange = service.ask("/health", **{"x-request-id": 'a" , "level": "error'})
    assert '"' not in strange.headers["x-request-id"]


def test_the_log_has_lines_of_json_without_people_in_them(service: Service) -> None:
    secret = {"ratings": [{"item": 31, "rating": 3.75}], "exclude": [29]}
    service.ask("/recommend", secret, x_request_id="logged-1")
    line = until(
        lambda: next((each for each in service.log if each.get("request_id") == "logged-1"), None)
    )
    assert (line["path"], line["status"], line["model"]) == ("/recommend", 200, "ease")
    known = {"time", "level", "event", "process", "request_id", "method", "path", "status", "ms"}
    assert set(line) == known | {"model"}


def test_metrics_are_those_of_all_workers(service: Service) -> None:
    def counted() -> float:
        lines = service.ask("/metrics").body.decode().splitlines()
        wanted = 'cofilter_requests_total{path="/similar",status="200"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(wanted))

    before = counted()
    for _ in range(10):
        service.ok("/similar", {"item": 1})
    assert counted() == before + 10
    assert "cofilter_workers 2.0" in service.ask("/metrics").body.decode()
