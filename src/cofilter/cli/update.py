"""``cofilter update``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cofilter.cli.new_rows import columns_option, delimiter_option, written
from cofilter.cli.options import (
    json_option,
    relevance_option,
)
from cofilter.cli.output import show
from cofilter.core.errors import DataError
from cofilter.recommender.updates import updated
from cofilter.release.embeddings import FOLDER as EMBEDDINGS
from cofilter.release.export import export
from cofilter.release.found import open_named
from cofilter.release.fresh import counted, measured
from cofilter.release.index import FOLDER as INDEX
from cofilter.release.needs import needed
from cofilter.release.reading import read_new_ratings


@click.command("update")
@click.argument("name", metavar="MODEL")
@click.argument("new", metavar="NEW", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--measure/--no-measure",
    default=True,
    help="Score the model before, updated and fitted again on the newest rows (default: yes).",
)
@relevance_option
@columns_option
@delimiter_option
@click.option(
    "--factors/--no-factors",
    "factors",
    default=True,
    help="Write embeddings and index again, where MODEL's folder has them (default: yes).",
)
@json_option
def command(
    name: str,
    new: Path,
    folder: Path,
    measure: bool,
    relevant_from: float | None,
    columns: str | None,
    delimiter: str,
    factors: bool,
    as_json: bool,
) -> None:
    """Fold new ratings into a model without training it again.

    NEW is a file as the model's source is written (its card says how), or one with the columns
    user_id, item_id, rating and perhaps timestamp (seconds); --columns names others. Its users,
    known or new, are folded in, and FOLDER gets the updated model; nothing else of it changes, and
    items that the model does not know are left out. How much that misses is measured on the newest
    fifth of the rows. Embeddings and an index are written again where MODEL has them.

    \b
    Examples:
      cofilter update served/films tonight.csv served/films-updated
      cofilter update served/shop tonight.csv served/tonight --columns user=customer,item=sku
    """
    opened = open_named(name)
    index, embeddings = (factors and (opened.folder / of).is_dir() for of in (INDEX, EMBEDDINGS))
    if embeddings:  # said before anything is measured
        needed("pyarrow", "writing embeddings again (or --no-factors)", "pipeline")
    rows = read_new_ratings(new, opened.model, written(opened, columns, delimiter))
    counts = counted(opened.model, rows)
    if counts.unknown_rows == counts.rows:
        raise DataError(f"{new}: {opened.name} knows none of its {counts.unknown_items} items")
    quality = measured(opened.model, rows, relevant_from) if measure else []
    told = asdict(counts) | {"stale": counts.stale, "quality": [asdict(each) for each in quality]}
    model = updated(opened.model, rows)
    kept = {key: value for key, value in opened.card.items() if key != "index" or index}
    card = kept | {
        "updated": [*opened.card.get("updated", []), told],
        "users": len(model.users_),
    }
    export(
        model,
        opened.catalogue,
        card,
        folder,
        index=index,
        embeddings=embeddings,
    )
    if as_json:
        show([told], as_json=True)
        return
    click.echo(
        f"{counts.rows:,} rows of {counts.users:,} users, {counts.new_users:,} of them new; "
        f"{counts.changed:,} change an older rating"
    )
    click.echo(
        f"{counts.unknown_rows:,} rows ({counts.stale:.1%}) of {counts.unknown_items:,} items that "
        "the model does not know are left out: a fit on all rows would learn them"
    )
    if quality:
        show([asdict(each) for each in quality], as_json=False, title="on the newest rows")
    click.echo(f"the updated model is in {folder}")
