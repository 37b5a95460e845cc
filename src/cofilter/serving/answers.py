"""What the service answers, before it is HTTP: plain values from a request and the models."""

from __future__ import annotations

from typing import Any

import numpy as np

from cofilter.recommender.inputs import Users
from cofilter.release.opened import Opened
from cofilter.serving import schema
from cofilter.serving.lists import ranked
from cofilter.serving.people import (
    asked,
    folded,
    require_all_known,
    require_known,
    require_on_scale,
)
from cofilter.serving.problems import refused
from cofilter.serving.reasons import reasons
from cofilter.serving.sessions import Sessions
from cofilter.serving.shelf import Shelf
from cofilter.serving.together import Together


class Answers:
    """Answers requests from a shelf of models and the sessions."""

    def __init__(self, shelf: Shelf, sessions: Sessions) -> None:
        self.shelf, self.sessions = shelf, sessions
        self._together = Together(sessions)

    def models(self) -> dict[str, Any]:
        """What is served."""
        default = self.shelf.default
        return {
            "models": [
                _described(each, name == default) for name, each in self.shelf.models.items()
            ]
        }

    async def recommend(self, request: schema.RecommendRequest) -> dict[str, Any]:
        """One person's list."""
        opened = self.shelf.named(request.model)
        return {"model": opened.name, **await self._together.ranked(opened, request)}

    def batch(self, request: schema.BatchRequest) -> dict[str, Any]:
        """Many people's lists."""
        opened = self.shelf.named(request.model)
        lists = ranked(opened, request.requests, self.sessions, "requests")
        return {"model": opened.name, "lists": lists}

    def predict(self, request: schema.PredictRequest) -> dict[str, Any]:
        """Ratings that a person would give."""
        opened = self.shelf.named(request.model)
        model = opened.model
        require_all_known(model.items_, request.items, "items")
        users = self._person(opened, request)
        with refused("items"):
            values, fallback = model.predict(users, list(request.items), return_fallback=True)
        items = [
            opened.catalogue.described(item) | {"predicted": value, "fallback": fell}
            for item, value, fell in zip(
                request.items, values.tolist(), fallback.tolist(), strict=True
            )
        ]
        return {"model": opened.name, "scale": model.scale_, "items": items}

    def similar(self, request: schema.SimilarRequest) -> dict[str, Any]:
        """Items like one."""
        opened = self.shelf.named(request.model)
        require_known(opened.model.items_, request.item, "item")
        with refused("item"):
            items, scores, fallback = opened.model.similar_items(
                request.item, request.k, return_fallback=True
            )
        found = np.isfinite(scores[0])
        rows = zip(
            items[0][found].tolist(),
            scores[0][found].tolist(),
            fallback[0][found].tolist(),
            strict=True,
        )
        listed = [
            opened.catalogue.described(item) | {"score": score, "fallback": fell}
            for item, score, fell in rows
        ]
        return {"model": opened.name, "items": listed}

    def explain(self, request: schema.ExplainRequest) -> dict[str, Any]:
        """What of a person's ratings speaks for an item."""
        opened = self.shelf.named(request.model)
        require_known(opened.model.items_, request.item, "item")
        users = self._person(opened, request)
        found = reasons(opened, users, [request.item], request.n)[0]
        described = opened.catalogue.described(request.item)
        return {"model": opened.name, "item": described, "reasons": found}

    def search(self, request: schema.SearchRequest) -> dict[str, Any]:
        """Items by title."""
        opened = self.shelf.named(request.model)
        found = opened.catalogue.search(request.text, request.n)
        return {
            "model": opened.name,
            "items": [opened.catalogue.described(item) for item in found],
        }

    def rate(self, request: schema.RateRequest) -> dict[str, Any]:
        """Ratings of a session; checked against the model that is named, kept for all."""
        opened = self.shelf.named(request.model)
        for place, change in enumerate(request.ratings):
            require_known(opened.model.items_, change.item, f"ratings.{place}.item")
            if change.rating is not None:
                require_on_scale(opened.model, change.rating, f"ratings.{place}.rating")
        with refused("ratings"):
            session, held = self.sessions.rate(
                request.session, [(each.item, each.rating) for each in request.ratings]
            )
        ratings = [
            opened.catalogue.described(item) | {"rating": rating} for item, rating in held.items()
        ]
        return {"session": session, "ratings": ratings}

    def _person(self, opened: Opened, who: schema.Who) -> Users:
        person = asked(opened.model, who, self.sessions)
        return folded(opened.model, [person]) if person.user is None else person.user


def _described(opened: Opened, is_default: bool) -> dict[str, Any]:
    """A model as /models lists it."""
    model = opened.model
    kinds = {
        name: "integer" if ids.ids.dtype.kind == "i" else "string"
        for name, ids in (("user", model.users_), ("item", model.items_))
    }
    return {
        "name": opened.name,
        "default": is_default,
        "family": model.family,
        "users": len(model.users_),
        "items": len(model.items_),
        "ratings": int(model.popularity_.sum()),
        "scale": model.scale_,
        "id_kind": kinds,
        "can": {
            "predict": model.predicts_ratings,
            "recommend": model.ranks,
            "explain": model.ranks and model.explains,
        },
        "search": "exact" if model.goes_through_all else "index",
        "has_titles": opened.catalogue.has_titles,
        "has_genres": opened.catalogue.has_genres,
        "card": opened.card,
    }
