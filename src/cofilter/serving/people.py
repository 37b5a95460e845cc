"""The people whom requests are about, as one model takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cofilter.core.matrix import UNKNOWN, IdMap
from cofilter.recommender.base import Recommender
from cofilter.recommender.people import People
from cofilter.release.limits import why_not
from cofilter.release.newcomers import folded_in
from cofilter.serving.problems import Problem, refused
from cofilter.serving.schema import Rated, Who
from cofilter.serving.sessions import Sessions


@dataclass(frozen=True)
class Asked:
    """One person of a request.

    Attributes
    ----------
    user:
        A known user; None for a person who is folded in.
    ratings:
        By item, of one who is folded in.
    unknown:
        Ratings of a session that are left out, since the model does not know their items.
    """

    user: int | str | None
    ratings: Mapping[int | str, float]
    unknown: int = 0


def asked(model: Recommender, who: Who, sessions: Sessions, where: str = "") -> Asked:
    """The person of a request, checked against a model; ``where`` is put before a field's name."""
    if who.user is not None:
        require_known(model.users_, who.user, f"{where}user")
        return Asked(who.user, {})
    if who.ratings is not None:
        return Asked(None, _given(model, who.ratings, f"{where}ratings"))
    held = sessions.ratings(who.session)
    if held is None:
        raise Problem(404, f"{where}session", "no such session; /rate begins one")
    known = {item: rating for item, rating in held.items() if knows(model.items_, item)}
    return Asked(None, known, len(held) - len(known))


def folded(model: Recommender, everybody: Sequence[Asked]) -> People:
    """All of them folded in at once, whose rows are in their order."""
    with refused("ratings"):
        return folded_in(model, [each.ratings for each in everybody])


def require_known(ids: IdMap, value: int | str, field: str) -> None:
    """Refuse an id of another kind than the model's (422), and one that it does not know (404)."""
    numbers = ids.ids.dtype.kind == "i"
    if numbers != isinstance(value, int):
        kind = "whole numbers" if numbers else "texts"
        raise Problem(422, field, f"this model's ids are {kind}, such as {ids.ids[:1].tolist()[0]}")
    if not knows(ids, value):
        raise Problem(404, field, "not known to this model")


def require_all_known(ids: IdMap, values: Iterable[int | str], field: str) -> None:
    """As `require_known`, naming the place of the first that is refused."""
    for place, value in enumerate(values):
        require_known(ids, value, f"{field}.{place}")


def knows(ids: IdMap, value: int | str) -> bool:
    """Whether a map holds an id; one of another kind it does not."""
    return (ids.ids.dtype.kind == "i") == isinstance(value, int) and ids.place(value) != UNKNOWN


def require_on_scale(model: Recommender, rating: float, field: str) -> None:
    """Refuse a rating that nobody can give to a model: outside its scale, or of no float32."""
    reason = why_not(model, rating)
    if reason is not None:
        raise Problem(422, field, reason)


def _given(model: Recommender, ratings: Sequence[Rated], field: str) -> dict[int | str, float]:
    found: dict[int | str, float] = {}
    for place, rated in enumerate(ratings):
        require_known(model.items_, rated.item, f"{field}.{place}.item")
        require_on_scale(model, rated.rating, f"{field}.{place}.rating")
        if rated.item in found:
            raise Problem(422, f"{field}.{place}.item", "rated twice")
        found[rated.item] = rated.rating
    return found
