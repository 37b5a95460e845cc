"""``cofilter explain``."""

from __future__ import annotations

import click

from cofilter.cli.options import item_id, json_option, model_option, people
from cofilter.cli.output import show
from cofilter.release.answers import explained
from cofilter.release.found import open_named


@click.command("explain")
@model_option
@click.option("--user", "-u", metavar="ID", help="A user whom the model knows.")
@click.option(
    "--rate", "rates", multiple=True, metavar="ITEM=RATING", help="As in `cofilter recommend`."
)
@click.option("--item", "-i", required=True, metavar="ITEM", help="An id or a title.")
@click.option("-n", default=3, show_default=True, type=click.IntRange(1), help="Number of reasons.")
@json_option
def command(
    name: str, user: str | None, rates: tuple[str, ...], item: str, n: int, as_json: bool
) -> None:
    """Tell which of a user's own ratings carried a recommendation.

    A share is what the rating adds to the item's score; a negative one speaks against the item.

    \b
    Example:
      cofilter explain --user 42 --item 50
    """
    opened = open_named(name)
    wanted = item_id(opened, item)
    title = f"{opened.name}: why {opened.catalogue.title(wanted)}"
    rows, notes = explained(opened, people(opened, user, rates), wanted, n)
    show(rows, as_json, title, notes)
