"""``cofilter similar``."""

from __future__ import annotations

import click

from cofilter.cli.options import item_id, json_option, length_option, model_option
from cofilter.cli.output import show
from cofilter.release.answers import similar
from cofilter.release.found import open_named


@click.command("similar")
@model_option
@click.option("--item", "-i", required=True, metavar="ITEM", help="An id or a title.")
@length_option
@json_option
def command(name: str, item: str, k: int, as_json: bool) -> None:
    """List the items most similar to one.

    Items that the model knows nothing similar of follow by popularity; they have no similarity.

    \b
    Examples:
      cofilter similar --item 50
      cofilter similar --item "Toy Story (1995)" -k 5 --model knn/item
    """
    opened = open_named(name)
    wanted = item_id(opened, item)
    title = f"{opened.name}: like {opened.catalogue.title(wanted)}"
    show(similar(opened, wanted, k), as_json, title)
