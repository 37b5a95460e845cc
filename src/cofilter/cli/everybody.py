"""``cofilter recommend-all``."""

from __future__ import annotations

from pathlib import Path

import click

from cofilter.cli.options import length_option
from cofilter.release.everybody import recommend_all
from cofilter.release.found import open_named


@click.command("recommend-all")
@click.argument("name", metavar="MODEL")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@length_option
def command(name: str, out: Path, k: int) -> None:
    """Write everybody's list as a Parquet file.

    Columns user_id, item_id, rank and score, a row a recommendation.

    \b
    Example:
      cofilter recommend-all best lists.parquet -k 20
    """
    opened = open_named(name)
    rows = recommend_all(opened.model, out, k)
    click.echo(f"{rows:,} rows for {len(opened.model.users_):,} users are in {out}")
