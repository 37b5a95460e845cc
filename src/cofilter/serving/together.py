"""Requests that arrive at one time, answered with one call of the model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from cofilter.release.opened import Opened
from cofilter.serving.lists import lists_of, prepared
from cofilter.serving.people import Asked
from cofilter.serving.schema import Listing
from cofilter.serving.sessions import Sessions


class _Waiting(NamedTuple):
    opened: Opened
    request: Listing
    person: Asked
    answer: asyncio.Future[dict[str, Any]]


class Together:
    """Gathers the requests that the event loop has read before it comes round again.

    A user's products read all items' factors from memory, which takes longer than to multiply
    them: four users at once take little more than one. So only models whose scores are products
    are asked for several at once; their scores do not depend, to the bit, on who is beside
    (`cofilter.recommender.kernels.products`). Nobody waits for a request that is not there yet.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._waiting: list[_Waiting] = []

    async def ranked(self, opened: Opened, request: Listing) -> dict[str, Any]:
        """One request's list, as `cofilter.serving.lists.ranked` gives it."""
        person = prepared(opened, request, self._sessions)
        if not opened.model.scores_are_products:
            return lists_of(opened, [request], [person])[0]
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._answer)
        waiting = _Waiting(opened, request, person, loop.create_future())
        self._waiting.append(waiting)
        return await waiting.answer

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        models = {id(each.opened): each.opened for each in waiting}
        for opened in models.values():
            _answer_all(opened, [each for each in waiting if each.opened is opened])


def _answer_all(opened: Opened, waiting: Sequence[_Waiting]) -> None:
    try:
        requests = [each.request for each in waiting]
        answers = lists_of(opened, requests, [each.person for each in waiting])
    except Exception as error:  # noqa: BLE001 - given to whom it belongs
        if len(waiting) > 1:  # which of them is not known: each by itself
            for each in waiting:
                _answer_all(opened, [each])
        elif not waiting[0].answer.done():
            waiting[0].answer.set_exception(error)
        return
    for each, answer in zip(waiting, answers, strict=True):
        if not each.answer.done():  # its connection may be gone
            each.answer.set_result(answer)
