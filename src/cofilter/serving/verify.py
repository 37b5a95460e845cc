"""Whether what is served is what was scored: the test users' lists, asked through HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN
from cofilter.core.parts import Parts
from cofilter.metrics.ranking import Relevant
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import ScoreConfig, metric_names
from cofilter.scoring.lists import RankedLists, ranked_lists
from cofilter.scoring.scores import score_lists
from cofilter.scoring.target import Target
from cofilter.serving.schema import MOST_EXCLUDED

AT_ONCE = 50  # users of one request, at most
_WAIT = 60.0  # seconds for an answer

Ask = Callable[[str, dict[str, Any] | None], dict[str, Any]]


@dataclass(frozen=True)
class Verified:
    """Metrics of warm test users, of the lists that are served and of those that were scored.

    Attributes
    ----------
    users:
        Whose lists were asked for: those in train with a relevant item in train.
    served, scored:
        Metrics by name, such as "ndcg@10".
    other:
        Ids of users whose served list is another than the scored one, in items or their order.
    recall:
        Share of the scored lists' items that are in the served lists.
    """

    users: int
    served: dict[str, float | None]
    scored: dict[str, float | None]
    other: list[int | str]
    recall: float

    @property
    def exact(self) -> bool:
        """Whether every list, and so every metric, is the same."""
        return not self.other and self.served == self.scored


def verify_served(
    ask: Ask, name: str, model: Recommender, parts: Parts, config: ScoreConfig
) -> Verified:
    """Ask a service for every warm test user's list, and score it as the leaderboard does.

    Candidates are those of the evaluation: items of train without those that the user has in
    train or validation. The service leaves out what its model has seen; items that only the
    refitted model knows are excluded by name.

    Parameters
    ----------
    ask:
        Gives the answer to a body that is sent to a path, None being a GET; `asking` makes one of
        an address.
    name:
        Of the model at the service.
    model:
        The evaluated model itself, whose lists are the comparison.

    Raises
    ------
    DataError
        The service refuses a request, or more items would have to be excluded than it takes.
    """
    target = _target(model, parts, config)
    evaluated = np.flatnonzero(target.user_is_warm & (target.n_relevant(warm=True) > 0))
    scored = ranked_lists(model, target, evaluated, max(config.k))
    served = _served(ask, name, model, target, evaluated, scored.item.shape[1])
    return _verified(served, scored, target, config)


def is_indexed(ask: Ask, name: str) -> bool:
    """Whether a service finds a model's lists by an index.

    They may then differ from the scored ones, and metrics by what the index does not find.
    """
    for model in ask("/models", None)["models"]:
        if model["name"] == name:
            return bool(model["search"] == "index")
    raise DataError(f"the service has no model {name!r}")


def asking(url: str) -> Ask:
    """Requests to the service at an address, over one connection.

    A refusal, or no answer, is a `DataError`.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_WAIT)
    headers = {"content-type": "application/json"}

    def ask(path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        where = parts.path.rstrip("/") + path
        try:
            if body is None:
                connection.request("GET", where)
            else:
                connection.request("POST", where, json.dumps(body), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DataError(f"{url}: no answer of a service ({error})") from None
        if response.status != 200:
            raise DataError(f"{url}{path}: {answer['error']['field']}: {answer['error']['reason']}")
        return answer

    return ask


def _served(
    ask: Ask, name: str, model: Recommender, target: Target, users: np.ndarray, k: int
) -> RankedLists:
    """The lists as a service gives them, in the target's indices."""
    foreign = model.items_.ids[target.items.index(model.items_.ids) == UNKNOWN].tolist()
    if len(foreign) > MOST_EXCLUDED:
        raise DataError(f"{len(foreign):,} items to exclude; {MOST_EXCLUDED:,} are the most")
    items = np.full((len(users), k), UNKNOWN, np.int32)
    fallback = np.zeros(len(users), bool)
    at_once = max(1, min(AT_ONCE, MOST_EXCLUDED // (len(foreign) + 1)))  # short enough a body
    for start in range(0, len(users), at_once):
        block = users[start : start + at_once]
        requests = [
            {"user": user, "k": k, "exclude": foreign} for user in target.users.ids[block].tolist()
        ]
        lists = _asked(ask, name, requests)
        for row, each in enumerate(lists, start):
            ids = [item["item"] for item in each["items"]]
            items[row, : len(ids)] = target.items.index(ids) if ids else []
            fallback[row] = each["fallback"] is not None
    return RankedLists(users, items, _relevant(target).hits(users, items), fallback)


def _target(model: Recommender, parts: Parts, config: ScoreConfig) -> Target:
    return Target.of(
        parts.train,
        parts.validation,
        parts.test,
        config.relevance_threshold,
        model.config.scale,
        weighted=config.weighted,
    )


def _relevant(target: Target) -> Relevant:
    known = target.relevant & (target.item != UNKNOWN)
    return Relevant.of(target.user[known], target.item[known], len(target.items))


def _verified(
    served: RankedLists, scored: RankedLists, target: Target, config: ScoreConfig
) -> Verified:
    differ = (served.item != scored.item).any(axis=1)
    names = metric_names(config)
    return Verified(
        len(scored.user),
        score_lists(served, target, config).warm.metrics(names),
        score_lists(scored, target, config).warm.metrics(names),
        target.users.ids[scored.user[differ]].tolist(),
        float((served.item[:, :, None] == scored.item[:, None, :]).any(axis=1).mean()),
    )


def _asked(ask: Ask, name: str, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Half of them by /batch and half one by one: both ways must give the same."""
    half = len(requests) // 2
    alone = [ask("/recommend", {"model": name, **request}) for request in requests[:half]]
    batch = ask("/batch", {"model": name, "requests": list(requests[half:])})
    return [*alone, *batch["lists"]]
