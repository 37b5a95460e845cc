"""A model with what people need beside it: titles, and how good it was measured to be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cofilter.core.errors import DataError
from cofilter.core.io import read_columns, read_json
from cofilter.core.paths import BLENDED, ITEMS
from cofilter.recommender.base import Recommender
from cofilter.recommender.store import load
from cofilter.release.catalogue import Catalogue
from cofilter.release.checkout import home
from cofilter.release.manifest import MANIFEST, verify_manifest
from cofilter.scoring.folders import BLEND, ENSEMBLE

if TYPE_CHECKING:
    from cofilter.reranking.reranker import Reranker

CARD, CARD_TEXT, NAMES = "model_card.json", "model_card.md", "items.json"


@dataclass(frozen=True)
class Opened:
    """A model that answers.

    Attributes
    ----------
    name:
        ``family/point`` in a checkout, the folder's name of an exported one.
    folder:
        Where it lies.
    model:
        It itself.
    catalogue:
        Titles and genres of its items.
    exported_card:
        Content of ``model_card.json``; None for a model in a checkout.
    """

    name: str
    folder: Path
    model: Recommender
    catalogue: Catalogue
    exported_card: dict[str, Any] | None = None

    @cached_property
    def card(self) -> dict[str, Any]:
        """The card of an exported model; of one in a checkout, what its export would have."""
        if self.exported_card is not None:
            return self.exported_card
        # Here, since an exported model is served without what evaluation needs.
        from cofilter.release.card import model_card

        return model_card(self.name, self.model, self.folder)

    @cached_property
    def reranker(self) -> Reranker:
        """Re-ranks its lists; what a kind needs is kept from its first use on."""
        from cofilter.reranking.reranker import Reranker

        return Reranker(self.model, self.catalogue.genres_by_item())


def open_model(folder: Path, name: str | None = None, *, check: bool = True) -> Opened:
    """Open an exported folder, or a model's folder of a checkout, whose titles are then used.

    Parameters
    ----------
    folder:
        Of the model.
    name:
        What to call it; None: `model_name`.
    check:
        Whether the files of an exported folder are compared with its checksums first, without
        which it is half copied: they are written last.

    Raises
    ------
    DataError
        The folder holds no model, or a damaged, half-written or newer one.
    """
    if check and any((folder / name).is_file() for name in (MANIFEST, NAMES, CARD)):
        verify_manifest(folder)
    model, name = load(folder), name or model_name(folder)
    if (folder / NAMES).is_file():
        catalogue = Catalogue.read(folder / NAMES, model.items_)
    else:
        catalogue = Catalogue.of(model.items_, _table_of_items(folder))
    return Opened(name, folder, model, catalogue, read_card(folder))


def read_card(folder: Path) -> dict[str, Any] | None:
    """Content of a folder's ``model_card.json``; None where it has none."""
    if not (folder / CARD).is_file():
        return None
    card = read_json(folder / CARD)
    if not isinstance(card, dict):
        raise DataError(f"{folder / CARD}: no model card; export the model again")
    return card


def model_name(folder: Path) -> str:
    """``family/point`` of a folder in ``models/``, or of the blend; else the folder's own name."""
    path = folder.resolve()
    if path.parts[-2:] == BLENDED.parts:
        return f"{ENSEMBLE}/{BLEND}"
    within = "models" in path.parts[:-2] and path.parts[-3] == "models"
    return "/".join(path.parts[-2:]) if within else path.name


def _table_of_items(folder: Path) -> dict[str, list[Any]] | None:
    """The items of the checkout that a folder lies in."""
    items = home(folder) / ITEMS
    return read_columns(items) if items.is_file() else None
