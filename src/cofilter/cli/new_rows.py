"""Options of the commands that read a file of new ratings."""

from __future__ import annotations

import click

from cofilter.cli.options import Decorated
from cofilter.release.opened import Opened
from cofilter.release.reading import Written

columns_option: Decorated = click.option(
    "--columns",
    metavar="user=NAME,item=NAME,…",
    help="Columns of the file (also rating, timestamp, weight), where they are not the source's; "
    "numbers: positions in a file without a header.",
)
delimiter_option: Decorated = click.option(
    "--delimiter", default=",", help="Of a text file with --columns; by default a comma."
)


def written(opened: Opened, columns: str | None, delimiter: str) -> Written:
    """How a file of new rows is written: as ``--columns`` say, or as the model's source is."""
    if columns is not None:
        return Written.by_columns(columns, delimiter)
    return Written((opened.card.get("data") or {}).get("form"))
