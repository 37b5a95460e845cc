"""Ranked lists as the service gives them: one call of the model for all requests of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from cofilter.core.matrix import UNKNOWN
from cofilter.recommender.base import Recommender
from cofilter.recommender.inputs import Users
from cofilter.recommender.people import People
from cofilter.recommender.sparse import ItemLists
from cofilter.release.opened import Opened
from cofilter.reranking.config import RerankingConfig
from cofilter.serving.people import Asked, asked, folded, require_all_known
from cofilter.serving.problems import Problem, refused
from cofilter.serving.reasons import reasons
from cofilter.serving.schema import Listing, Rerank
from cofilter.serving.sessions import Sessions


def ranked(
    opened: Opened, requests: Sequence[Listing], sessions: Sessions, where: str = ""
) -> list[dict[str, Any]]:
    """A list for each request: fallback, unknown_items, items.

    Known users are ranked with one call of the model, people who are folded in with another; what
    a list holds does not depend on what is asked beside it. ``where``: name of the requests in a
    problem's field.
    """
    people = [
        prepared(opened, request, sessions, f"{where}.{place}." if where else "")
        for place, request in enumerate(requests)
    ]
    return lists_of(opened, requests, people)


def prepared(opened: Opened, request: Listing, sessions: Sessions, where: str = "") -> Asked:
    """A request's person, once all of the request is checked."""
    model = opened.model
    if not model.ranks:
        raise Problem(422, "model", f"{type(model).__name__} does not rank")
    require_all_known(model.items_, request.exclude, f"{where}exclude")
    return asked(model, request, sessions, where)


def lists_of(
    opened: Opened, requests: Sequence[Listing], people: Sequence[Asked]
) -> list[dict[str, Any]]:
    """As `ranked`, of requests that are `prepared`."""
    model = opened.model
    answers: list[dict[str, Any]] = [{}] * len(requests)
    plain = [place for place, request in enumerate(requests) if request.rerank is None]
    known = [place for place in plain if people[place].user is not None]
    new = [place for place in plain if people[place].user is None]
    alone = [[place] for place, request in enumerate(requests) if request.rerank is not None]
    for places in (known, new, *alone):
        if places:
            some = [people[place] for place in places]
            users = _users(model, some)
            # Of ratings beyond any scale a model may make no finite score.
            with refused("ratings") if isinstance(users, People) else nullcontext():
                lists = _lists(opened, users, [requests[place] for place in places], some)
            for place, answer in zip(places, lists, strict=True):
                answers[place] = answer
    return answers


def _users(model: Recommender, people: Sequence[Asked]) -> Users:
    """Some people, all known or all folded in, as a model takes them."""
    ids = [person.user for person in people if person.user is not None]
    if not ids:
        return folded(model, people)
    return ids[0] if len(ids) == 1 else ids


def _lists(
    opened: Opened, users: Users, requests: Sequence[Listing], people: Sequence[Asked]
) -> list[dict[str, Any]]:
    model = opened.model
    left_out = _left_out(model, users, requests)
    longest = max(request.k for request in requests)
    index, scores, own = _ranked(opened, users, longest, requests[0].rerank, left_out)
    answers = []
    for row, (request, person) in enumerate(zip(requests, people, strict=True)):
        listed = index[row, : request.k]
        listed = listed[listed != UNKNOWN]
        one = users.at(np.array([row])) if isinstance(users, People) else person.user
        assert one is not None
        items = _described(opened, one, listed, scores[row, : len(listed)], request.explain)
        answers.append(
            {
                "fallback": None if own[row] else "popularity",
                "unknown_items": person.unknown,
                "items": items,
            }
        )
    return answers


def _ranked(
    opened: Opened, users: Users, k: int, rerank: Rerank | None, left_out: ItemLists
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists as the model's `rank_own` gives them, perhaps re-ranked."""
    model = opened.model
    if rerank is None:
        return model.rank_own(users, k, left_out)
    config = RerankingConfig(kind=rerank.kind, strength=rerank.strength)
    items, scores, own = model.rank_own(users, max(k, config.depth), left_out)
    with refused("rerank.kind"):
        k = min(k, len(model.items_))
        chosen, score = opened.reranker.reordered(users, items, scores, own, k, config)
    return chosen, score, own


def _left_out(model: Recommender, users: Users, requests: Sequence[Listing]) -> ItemLists:
    """What each request's list may not hold: what the person has rated, and what it names."""
    nothing = np.empty(0, np.int32)
    wants = [request.exclude_seen for request in requests]
    with refused("exclude_seen"):
        seen = model.seen_by(users) if any(wants) else None
    rows = []
    for row, request in enumerate(requests):
        own = nothing
        if seen is not None and request.exclude_seen:
            own = seen.item[seen.start[row] : seen.start[row + 1]]
        if request.exclude:
            own = np.union1d(own, model.items_.index(request.exclude))
        rows.append(own)
    start = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=start[1:])
    items = rows[0] if len(rows) == 1 else np.concatenate(rows)
    return ItemLists(start, items.astype(np.int32, copy=False))


def _described(
    opened: Opened, user: Users, index: np.ndarray, scores: np.ndarray, explain: bool
) -> list[dict[str, Any]]:
    """One list's items as JSON: what they are, the score, and what else the model knows."""
    items = opened.catalogue.at(index)
    listed = [{**item, "score": score} for item, score in zip(items, scores.tolist(), strict=True)]
    model, ids = opened.model, [item["item"] for item in items]
    if model.predicts_ratings and ids:
        for item, rating in zip(listed, model.predict(user, ids).tolist(), strict=True):
            item["predicted"] = rating
    if explain and ids:
        for item, found in zip(listed, reasons(opened, user, ids), strict=True):
            item["reasons"] = found
    return listed
