"""``cofilter compare``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from cofilter.cli.new_rows import columns_option, delimiter_option, written
from cofilter.cli.options import (
    json_option,
    length_option,
    relevance_option,
)
from cofilter.cli.output import show
from cofilter.core.errors import DataError
from cofilter.release.comparing import HeldOut, compare
from cofilter.release.found import open_named
from cofilter.release.reading import read_new_ratings

WORSE = 3  # exit code


@click.command("compare")
@click.argument("first", metavar="PRESENT")
@click.argument("second", metavar="CANDIDATE")
@click.argument("rows", metavar="ROWS", type=click.Path(path_type=Path, dir_okay=False))
@length_option
@relevance_option
@columns_option
@delimiter_option
@json_option
def command(
    first: str,
    second: str,
    rows: Path,
    k: int,
    relevant_from: float | None,
    columns: str | None,
    delimiter: str,
    as_json: bool,
) -> None:
    """Compare two models on the same held-out ratings.

    ROWS is a file as `cofilter update` takes it, best the newest ratings, that neither model was
    fitted on; a row that one of them knows is left out. Differences are paired by user, with 95 %
    intervals. The exit status is 3 when the candidate is worse in any metric, its whole interval on
    the wrong side of 0, so that a nightly job can keep the present model.

    \b
    Example:
      cofilter compare now tonight newest.csv && ln -sfn tonight now
    """
    present, candidate = open_named(first), open_named(second)
    for side in ("users_", "items_"):
        if len({getattr(each.model, side).ids.dtype.kind for each in (present, candidate)}) > 1:
            raise DataError(
                f"{side[:-1]} of {present.name} and {candidate.name} have ids of two kinds, "
                "numbers and texts: they are of different data"
            )
    table = read_new_ratings(rows, present.model, written(present, columns, delimiter))
    found = compare(present.model, candidate.model, HeldOut(table, k, relevant_from))
    title = f"{present.name} (first) and {candidate.name} (second)"
    show([asdict(each) | {"worse": each.worse} for each in found], as_json, title)
    if any(each.worse for each in found):
        click.echo(f"{candidate.name} is worse than {present.name}", err=True)
        sys.exit(WORSE)
