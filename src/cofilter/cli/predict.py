"""``cofilter predict``."""

from __future__ import annotations

import click

from cofilter.cli.options import item_id, json_option, model_option, people
from cofilter.cli.output import show
from cofilter.release.answers import predicted
from cofilter.release.found import open_named


@click.command("predict")
@model_option
@click.option("--user", "-u", metavar="ID", help="A user whom the model knows.")
@click.option(
    "--rate", "rates", multiple=True, metavar="ITEM=RATING", help="As in `cofilter recommend`."
)
@click.option(
    "--item", "-i", "items", multiple=True, required=True, metavar="ITEM", help="An id or a title."
)
@json_option
def command(
    name: str, user: str | None, rates: tuple[str, ...], items: tuple[str, ...], as_json: bool
) -> None:
    """Predict a user's ratings of items.

    `fallback` says that the model has no answer of its own, so that mean and biases answer. A model
    that knows its uncertainty gives the standard deviation of each.

    \b
    Example:
      cofilter predict --user 1 --item 541 --model mf/biased-dim20-seed0
    """
    opened = open_named(name)
    wanted = [item_id(opened, each) for each in items]
    show(predicted(opened, people(opened, user, rates), wanted), as_json, opened.name)
