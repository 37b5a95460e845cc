"""``cofilter recommend``."""

from __future__ import annotations

import click

from cofilter.cli.options import (
    item_id,
    json_option,
    length_option,
    model_option,
    people,
    reranking_of,
)
from cofilter.cli.output import show
from cofilter.release.answers import recommended
from cofilter.release.found import open_named


@click.command("recommend")
@model_option
@click.option("--user", "-u", metavar="ID", help="A user whom the model knows.")
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="ITEM=RATING",
    help="A rating of somebody who is folded in; give several. ITEM is an id or a title.",
)
@length_option
@click.option("--exclude", multiple=True, metavar="ITEM", help="An item never to recommend.")
@click.option(
    "--rerank",
    metavar="KIND=STRENGTH",
    help="mmr, popularity or genres, and a strength from 0 to 1, such as popularity=0.3.",
)
@click.option("--explain", "reasons", is_flag=True, help="With the own ratings that carried each.")
@json_option
def command(
    name: str,
    user: str | None,
    rates: tuple[str, ...],
    k: int,
    exclude: tuple[str, ...],
    rerank: str | None,
    reasons: bool,
    as_json: bool,
) -> None:
    """Recommend items to a user, or to somebody who rates some here.

    What the user has rated is left out. A score is a predicted rating where the model ranks by
    ratings, and else the model's own unit, good for comparison within the list. Re-ranking gives up
    some of it for less alike items (mmr), less popular ones, or the shares of genres that the
    user's ratings have.

    \b
    Examples:
      cofilter recommend --user 42 -k 5
      cofilter recommend --model als/implicit-dim20-seed0 --rate "Star Wars (1977)=5" --explain
      cofilter recommend --user 42 --rerank popularity=0.3
      cofilter recommend --user 42 --json | jq '.[].item'
    """
    opened = open_named(name)
    who = people(opened, user, rates)
    left_out = [item_id(opened, each) for each in exclude]
    answer = recommended(
        opened,
        who,
        k,
        exclude=left_out,
        reasons=3 if reasons else 0,
        reranking=None if rerank is None else reranking_of(rerank),
    )
    title = f"{opened.name} for {'user ' + user if user is not None else 'these ratings'}"
    show(answer.rows, as_json, title, answer.notes)
