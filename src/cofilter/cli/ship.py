"""``cofilter ship``."""

from __future__ import annotations

from pathlib import Path

import click

from cofilter.core.errors import DataError
from cofilter.release.card import EVERYTHING, model_card
from cofilter.release.checkout import home
from cofilter.release.export import export
from cofilter.release.found import BEST, find_model
from cofilter.release.opened import open_model

SHIPPED = Path("shipped")  # in the checkout, git-ignored


@click.command("ship")
@click.argument("name", metavar="[MODEL]", default=BEST)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the exported model; by default shipped/ and the model's name.",
)
def command(name: str, folder: Path | None) -> None:
    """Fit the chosen method once more on all rows and export it.

    The rows of train, validation and test, with everything frozen that validation chose, so that
    the newest ratings are not lost to the measurement. The card says so: its figures are of the
    model that was measured.
    """
    from cofilter.core.parts import load_parts
    from cofilter.core.paths import SPLIT
    from cofilter.release.final import fit_on_everything

    where = home()
    found, trained = find_model(name, where)
    if not (where / SPLIT).is_dir():
        raise DataError(f"there is no split in {where}: `make repro` in a checkout first")
    model = fit_on_everything(trained, load_parts(where / SPLIT), where)
    folder = folder or where / SHIPPED / found.replace("/", "-")
    card = model_card(found, model, trained, EVERYTHING)
    export(model, open_model(trained, found).catalogue, card, folder)
    click.echo(f"{found}, fitted on all rows, is in {folder}: cofilter serve {folder}")
