"""Model folders as the train stages leave them: which are there, and what stands beside a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cofilter.core.errors import DataError
from cofilter.core.io import read_json, write_json

if TYPE_CHECKING:
    import pandas as pd

SELECTION, LEARNING_CURVE = "selection.json", "learning_curve.csv"
LEFT_OUT = "left_out.json"  # in place of a model: why the data cannot train it
ENSEMBLE, BLEND = "ensemble", "blend"  # family and point of the blend of all models
_KEYS = ("family", "point", "seed", "engine", "device", "refit", "validation")


@dataclass(frozen=True)
class ModelFolder:
    """One trained model: where it lies and what its train stage wrote beside it.

    Attributes
    ----------
    selection:
        Content of ``selection.json``.
    curve:
        Content of ``learning_curve.csv``; empty for a model without epochs.
    """

    family: str
    point: str
    path: Path
    selection: dict[str, Any]
    curve: pd.DataFrame

    @property
    def name(self) -> str:
        """``family/point``."""
        return f"{self.family}/{self.point}"

    @property
    def remedy(self) -> str:
        """What makes the folder anew."""
        if self.family == ENSEMBLE:
            return "run the stage blend again"
        return f"run the stage train_{self.family} for the point {self.point} again"


def expected_folders(models: Path, expected: Iterable[tuple[str, str]]) -> list[ModelFolder]:
    """Read the folders of exactly these (family, point) pairs, in this order.

    Those in `left_out` hold no model and are passed over.

    Raises
    ------
    DataError
        A folder or file is missing, unreadable, or of another point than its place says.
    """
    without = left_out(models, wanted := list(expected))
    wanted = [pair for pair in wanted if "/".join(pair) not in without]
    missing = [pair for pair in wanted if not (models / Path(*pair) / SELECTION).is_file()]
    if missing:
        stated = "; ".join(
            f"{models / Path(*pair)} (run the stage train_{pair[0]} for the point {pair[1]})"
            for pair in missing
        )
        raise DataError(f"models are missing: {stated}")
    return [_read(models / Path(*pair), *pair) for pair in wanted]


def left_out(models: Path, expected: Iterable[tuple[str, str]]) -> dict[str, str]:
    """``family/point`` of those of the expected models that the data cannot train, and why."""
    return {
        "/".join(pair): read_json(models / Path(*pair) / LEFT_OUT)["reason"]
        for pair in expected
        if (models / Path(*pair) / LEFT_OUT).is_file()
    }


def save_left_out(folder: Path, reason: str) -> None:
    """Write in a model's folder why there is no model."""
    write_json(folder / LEFT_OUT, {"reason": reason})


def ensemble_folder(folder: Path) -> ModelFolder:
    """Read the folder that the stage blend left; errors as `expected_folders`."""
    if not (folder / SELECTION).is_file():
        raise DataError(f"the ensemble is missing: {folder} (run the stage blend)")
    return _read(folder, ENSEMBLE, BLEND)


def other_folders(models: Path, expected: Iterable[tuple[str, str]]) -> list[Path]:
    """Folders ``models/<family>/<point>`` that are not asked for, sorted by path."""
    wanted = {models / Path(*pair) for pair in expected}
    return sorted(path for path in models.glob("*/*") if path.is_dir() and path not in wanted)


def _read(folder: Path, family: str, point: str) -> ModelFolder:
    selection = read_json(folder / SELECTION)
    absent = [key for key in _KEYS if key not in selection]
    if absent:
        raise DataError(f"{folder / SELECTION}: no {', '.join(absent)}; train this model again")
    stated = selection["family"], selection["point"]
    if stated != (family, point):
        raise DataError(
            f"{folder / SELECTION}: belongs to {'/'.join(stated)}, but lies in the folder of "
            f"{family}/{point}"
        )
    return ModelFolder(family, point, folder, selection, _curve(folder / LEARNING_CURVE))


def _curve(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():  # models without epochs have none
        return pd.DataFrame()
    try:
        return pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as CSV ({error})") from None
