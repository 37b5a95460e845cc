"""``cofilter verify-serving``."""

from __future__ import annotations

import sys

import click

from cofilter.cli.options import json_option, model_option
from cofilter.cli.output import show
from cofilter.core.errors import DataError
from cofilter.release.checkout import home
from cofilter.release.found import open_named

DIFFERENT = 3  # exit code


@click.command("verify-serving")
@model_option
@click.option(
    "--url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Where the service answers that has the model.",
)
@json_option
def command(name: str, url: str, as_json: bool) -> None:
    """Check that the served lists are those that were scored.

    In a checkout: every warm test user's list is asked through HTTP, from a service that runs, and
    scored as the leaderboard scores. Metrics and every list must be equal; the exit status is 3
    where one is not. MODEL must be an evaluated model, not one that was fitted on all rows since.
    A service that searches by an index finds a stated share of the lists' items, so that its lists
    may differ: the status is 3 where that share is below the 0.99 that an index is built for.

    \b
    Example:
      cofilter serve best --port 8000 &
      cofilter verify-serving
    """
    from cofilter.core.io import read_json
    from cofilter.core.parts import load_parts
    from cofilter.core.paths import SPLIT
    from cofilter.release.found import FACTS
    from cofilter.release.index import WANTED
    from cofilter.scoring.config import ScoreConfig
    from cofilter.serving.verify import asking, is_indexed, verify_served

    where = home()
    if not (where / SPLIT).is_dir() or not (where / FACTS).is_file():
        raise DataError(f"there is no evaluation in {where}: `make repro` in a checkout first")
    evaluate = read_json(where / FACTS)["evaluate"]
    config = ScoreConfig(**{key: evaluate[key] for key in ScoreConfig.model_fields})
    opened = open_named(name)
    parts = load_parts(where / SPLIT)
    ask = asking(url)
    found = verify_served(ask, opened.name, opened.model, parts, config)
    rows = [
        {"metric": metric, "served": found.served[metric], "scored": scored}
        for metric, scored in found.scored.items()
        if scored is not None
    ]
    show(rows, as_json, f"{opened.name}: {found.users:,} warm test users")
    if is_indexed(ask, opened.name):
        click.echo(f"the index finds {found.recall:.4f} of the lists' items", err=True)
        sys.exit(0 if found.recall >= WANTED else DIFFERENT)
    if not found.exact:
        click.echo(f"{len(found.other):,} of {found.users:,} lists are others", err=True)
        sys.exit(DIFFERENT)
    click.echo(f"all {found.users:,} lists are the same", err=True)
