"""A folder with everything that a service needs of a model, and nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cofilter.core.errors import DataError
from cofilter.core.io import write_json, write_text
from cofilter.recommender.base import Recommender
from cofilter.release.card_text import as_markdown
from cofilter.release.catalogue import Catalogue
from cofilter.release.embeddings import FOLDER, write_embeddings
from cofilter.release.index import FOLDER as INDEX
from cofilter.release.index import index_of
from cofilter.release.manifest import MANIFEST, write_manifest
from cofilter.release.opened import CARD, CARD_TEXT, NAMES


def export(
    model: Recommender,
    catalogue: Catalogue,
    card: Mapping[str, Any],
    folder: Path,
    *,
    index: bool = False,
    embeddings: bool = True,
) -> None:
    """Write a model with its titles, its card, its factors where it has some, and checksums.

    The folder appears whole: it is written beside its place and moved there. One that was exported
    before is replaced.

    Parameters
    ----------
    index:
        Whether an index of the items is built, measured and written too; see
        `cofilter.release.index`.
    embeddings:
        Whether the factors of both sides are written apart, for a vector database, where the model
        has some; a service does not need them.

    Raises
    ------
    CapabilityError
        An index is wanted of a model without factors.
    MissingDependencyError
        The index or the embeddings need a library that is not there.
    DataError
        The folder is there and is no exported model.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise DataError(f"{folder} is there and is no exported model; name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        made.chmod(0o755)  # mkdtemp makes a folder that nobody else may read
        model.save(made, mapped=True)
        if index:
            graph, measured = index_of(model)
            graph.save(made / INDEX, measured)
            card = {**card, "index": asdict(measured)}
        catalogue.write(made / NAMES)
        write_json(made / CARD, dict(card))
        write_text(made / CARD_TEXT, as_markdown(card, folder.name))
        if embeddings:
            write_embeddings(model, made / FOLDER)
        write_manifest(made)
        _into_place(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _into_place(made: Path, folder: Path) -> None:
    """Two renames, since a folder cannot replace one that holds files."""
    if not folder.exists():
        os.rename(made, folder)
        return
    old = folder.with_name(f".{folder.name}.old-{made.name}")
    os.rename(folder, old)
    os.rename(made, folder)
    shutil.rmtree(old)
