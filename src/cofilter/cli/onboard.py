"""``cofilter onboard``: rate some items on the terminal and get recommendations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click
import numpy as np

from cofilter.cli.options import checked_rating, length_option, model_option
from cofilter.cli.output import cell, printable, show
from cofilter.core.errors import CapabilityError, DataError
from cofilter.release.answers import recommended
from cofilter.release.found import open_named
from cofilter.release.limits import rating_limits
from cofilter.release.newcomers import folded_in
from cofilter.release.opened import Opened

CHOICES = 9  # titles that are offered where a text means several


@dataclass
class Ratings:
    """What somebody rated so far; a second rating of an item replaces the first."""

    opened: Opened
    given: dict[int | str, float] = field(default_factory=dict)


@click.command("onboard")
@model_option
@click.option(
    "--items", "n_items", default=50, show_default=True, type=click.IntRange(1),
    help="How many of the most rated items are listed.",
)  # fmt: skip
@click.option(
    "--at-least", default=5, show_default=True, type=click.IntRange(1), help="Ratings needed."
)
@length_option
def command(name: str, n_items: int, at_least: int, k: int) -> None:
    """Rate some items on the terminal and get recommendations.

    The most rated items are listed. Choose one by its number, or any other by typing a part of its
    title; a typing error does no harm. Rating an item again changes it. An empty line ends once
    there are enough ratings; then come the recommendations, each with the rating that carried it.
    Ctrl-D or Ctrl-C end at once.
    """
    opened = open_named(name)
    model = opened.model
    if not model.ranks:
        raise CapabilityError(f"{opened.name} does not rank: it has nothing to recommend")
    order = np.lexsort((np.arange(len(model.items_)), -model.popularity_))
    listed = model.items_.ids[order[:n_items]].tolist()
    if len(model.items_) < at_least:
        raise DataError(f"{opened.name} knows {len(model.items_)} items, {at_least} are needed")
    for at, item in enumerate(listed, 1):
        click.echo(f"{at:>4}  {_titled(opened, item)}")
    ratings = Ratings(opened)
    for item in _chosen(ratings, listed, at_least):
        _rate(ratings, item)
    _finish(ratings, k)


def _chosen(ratings: Ratings, listed: list[int | str], at_least: int) -> Iterator[int | str]:
    """Items that a person names, until an empty line after enough ratings."""
    while True:
        missing = at_least - len(ratings.given)
        left = f"{missing} more" if missing > 0 else "Enter ends"
        text = _asked(f"number or part of a title ({left})")
        if text:
            item = _named(ratings.opened, text, listed)
            if item is not None:
                yield item
        elif missing <= 0:
            return
        else:
            click.echo(f"  {missing} more ratings are needed")


def _named(opened: Opened, text: str, listed: list[int | str]) -> int | str | None:
    """The item that a text names; None where it names none, which is then said."""
    if text.isdecimal():
        if 1 <= int(text) <= len(listed):
            return listed[int(text) - 1]
        click.echo(f"  {text}: a number from 1 to {len(listed)} is expected, or part of a title")
        return None
    named = opened.catalogue.named(text)
    found = [named] if named is not None else opened.catalogue.search(text, CHOICES)
    if not found:
        click.echo(f"  nothing is called {printable(text)!r}")
        return None
    if len(found) == 1:
        return found[0]
    for at, item in enumerate(found, 1):
        click.echo(f"  {at}  {_titled(opened, item)}")
    choice = _asked("  which? (Enter: none of these)")
    if choice.isdecimal() and 1 <= int(choice) <= len(found):
        return found[int(choice) - 1]
    if choice:
        click.echo(f"  {printable(choice)}: a number from 1 to {len(found)} is expected")
    return None


def _rate(ratings: Ratings, item: int | str) -> None:
    """Ask for a rating until it is one; an empty line leaves what there is."""
    opened = ratings.opened
    title = printable(opened.catalogue.title(item))
    if opened.model.scale_[0] == opened.model.scale_[1]:
        ratings.given[item] = opened.model.scale_[1]  # of clicks there is nothing to ask
        click.echo(f"  {title}: taken")
        return
    limits = rating_limits(opened.model)
    expected = "a number" if limits is None else f"{limits[0]:g} to {limits[1]:g}"
    before = ratings.given.get(item)
    now = f", now {before:g}" if before is not None else ""
    while True:
        text = _asked(f"  {title}, {expected}{now}")
        if not text:
            return
        try:
            ratings.given[item] = checked_rating(opened, text)
            return
        except DataError as error:
            click.echo(f"  {error}")


def _finish(ratings: Ratings, k: int) -> None:
    opened = ratings.opened
    click.echo("\nyour ratings")
    for item, rating in ratings.given.items():
        click.echo(f"  {cell(rating):>4}  {_titled(opened, item)}")
    people = folded_in(opened.model, [ratings.given])
    answer = recommended(opened, people, k, reasons=int(opened.model.explains))
    click.echo("")
    show(answer.rows, False, "for you", answer.notes)


def _titled(opened: Opened, item: int | str) -> str:
    genres = ", ".join(opened.catalogue.genres_of(item))
    title = printable(opened.catalogue.title(item))
    return f"{title}  ({printable(genres)})" if genres else title


def _asked(question: str) -> str:
    """A line from the person; the end of the input ends the command."""
    try:
        return input(f"{question}: ").strip()
    except EOFError:
        raise click.Abort from None
