"""``cofilter export``."""

from __future__ import annotations

from pathlib import Path

import click

from cofilter.release.export import export
from cofilter.release.found import open_named


@click.command("export")
@click.argument("name", metavar="MODEL")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--index", is_flag=True, help="With an index for approximate search, measured.")
def command(name: str, folder: Path, index: bool) -> None:
    """Write everything that a service needs of a model into a folder.

    MODEL is `best`, a name that `cofilter models` lists, or a model's folder. FOLDER gets the
    arrays, mapped into memory by whoever loads them, id maps, titles, what users have rated, the
    model card, the factors of both sides where the model has some, and checksums. It appears
    whole; one that was exported before is replaced.

    \b
    Example:
      cofilter export best served/films
    """
    opened = open_named(name)
    export(opened.model, opened.catalogue, opened.card, folder, index=index)
    click.echo(f"{opened.name} is in {folder}: cofilter serve {folder}")
