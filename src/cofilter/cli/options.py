"""Options that several commands have, and how what they take becomes ids."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import click

from cofilter.core.config import parse
from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN, IdMap
from cofilter.recommender.inputs import Users
from cofilter.release.catalogue import Catalogue, typed_id
from cofilter.release.found import BEST
from cofilter.release.limits import why_not
from cofilter.release.newcomers import folded_in
from cofilter.release.opened import Opened
from cofilter.reranking.config import RerankingConfig

Decorated = Callable[[Callable[..., Any]], Callable[..., Any]]

model_option: Decorated = click.option(
    "--model",
    "-m",
    "name",
    default=BEST,
    show_default=True,
    metavar="NAME|FOLDER",
    help="`best`, a name that `cofilter models` lists, or a model's folder.",
)
json_option: Decorated = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
length_option: Decorated = click.option(
    "-k", default=10, show_default=True, type=click.IntRange(1), help="Length of the list."
)


class Finite(click.types.FloatParamType):
    """A number that is neither infinite nor NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a `click.BadParameter` where it is none."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


relevance_option: Decorated = click.option(
    "--relevant-from", type=Finite(), help="A rating from which an item is relevant; else all are."
)


def user_id(opened: Opened, text: str) -> int | str:
    """A known user's id.

    Raises
    ------
    DataError
        The model does not know the user.
    """
    users = opened.model.users_
    user = typed_id(users, text)
    if user is None or users.index(user)[0] == UNKNOWN:
        raise DataError(f"no user {text!r} in {opened.name}, which knows {_some(users)}")
    return user


def item_id(opened: Opened, text: str) -> int | str:
    """A known item's id, from the id or from a title that means just one item.

    Raises
    ------
    DataError
        There is no such item, or several are meant.
    """
    catalogue = opened.catalogue
    item = catalogue.named(text)
    if item is not None:
        return item
    found = catalogue.search(text, 5) if catalogue.has_titles else []
    if found:
        raise DataError(f"no item {text!r}; did you mean {_named(catalogue, found)}?")
    raise DataError(f"no item {text!r} in {opened.name}, which knows {_some(catalogue.items)}")


def people(opened: Opened, user: str | None, rates: Sequence[str]) -> Users:
    """Whom a command is about: a known user, or somebody with the ratings that are given.

    Raises
    ------
    DataError
        Neither or both are given, or one of them is not understood.
    """
    if (user is None) == (not rates):
        raise DataError("who? give --user ID, or --rate ITEM=RATING once or more")
    if user is not None:
        return [user_id(opened, user)]
    pairs = dict(rating_of(opened, each) for each in rates)
    return folded_in(opened.model, [pairs])


def rating_of(opened: Opened, text: str) -> tuple[int | str, float]:
    """Item and rating of ``ITEM=RATING``; of a model that only ranks a rating may be left out."""
    item, equals, rating = text.rpartition("=")
    if not equals:
        if opened.model.predicts_ratings:
            raise DataError(f"--rate {text}: ITEM=RATING is expected, such as 50=4")
        return item_id(opened, text), opened.model.scale_[1]
    return item_id(opened, item), checked_rating(opened, rating)


def reranking_of(text: str) -> RerankingConfig:
    """How to re-rank, of ``KIND=STRENGTH``."""
    kind, _, strength = text.partition("=")
    try:
        value = float(strength)
    except ValueError:
        raise DataError(
            f"--rerank {text}: KIND=STRENGTH is expected, such as popularity=0.3"
        ) from None
    return parse(RerankingConfig, {"kind": kind, "strength": value}, "--rerank")


def checked_rating(opened: Opened, text: str) -> float:
    """A rating that the model takes, from a text."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    reason = why_not(opened.model, value)
    if reason is not None:
        raise DataError(f"rating {text!r}: {reason}")
    return value


def _some(ids: IdMap) -> str:
    """What a map's ids look like."""
    kind = "numbers" if ids.ids.dtype.kind == "i" else "texts"
    examples = ", ".join(str(each) for each in ids.ids[:3].tolist())
    return f"{len(ids):,} ids that are {kind}, such as {examples}"


def _named(catalogue: Catalogue, items: Sequence[int | str]) -> str:
    return ", ".join(f"{item} ({catalogue.title(item)})" for item in items)
