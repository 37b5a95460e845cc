from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import cofilter
from cofilter.core.errors import DataError
from cofilter.models.baseline.model import KINDS
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.folder import ARRAYS, DESCRIPTION, save
from cofilter.recommender.store import load
from tests.models.contract import ratings_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = KINDS["bias"](ModelConfig(scale=(1.0, 5.0))).fit(ratings_table())
    save(model, tmp_path / "model")
    return tmp_path / "model"


def test_equal_models_give_equal_bytes_and_nothing_else_lies_there(
    folder: Path, tmp_path: Path
) -> None:
    save(cofilter.load(folder), tmp_path / "again")
    contents = [
        {path.name: path.read_bytes() for path in where.iterdir()}
        for where in (folder, tmp_path / "again")
    ]
    assert contents[0] == contents[1]
    assert contents[0].keys() == {ARRAYS, DESCRIPTION}


def test_the_order_of_arrays_does_not_change_a_byte(tmp_path: Path) -> None:
    class Turned(KINDS["bias"]):
        names = ("a", "b")

        def _arrays(self) -> dict[str, np.ndarray]:
            return {name: np.zeros(1) for name in self.names}

    model = Turned(ModelConfig(scale=(1.0, 5.0))).fit(ratings_table())
    save(model, tmp_path / "one")
    model.names = ("b", "a")
    save(model, tmp_path / "two")
    assert (tmp_path / "one" / ARRAYS).read_bytes() == (tmp_path / "two" / ARRAYS).read_bytes()


def test_the_folder_says_what_it_is_and_holds_no_pickle(folder: Path) -> None:
    told = json.loads((folder / DESCRIPTION).read_text())
    assert (told["family"], told["model"]) == ("baseline", "BiasBaseline")
    assert told["cofilter"] == cofilter.__version__
    assert told["config"]["scale"] == [1.0, 5.0]
    assert len(told["data_sha256"]) == 64
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "iufU" for name in arrays)


@pytest.mark.parametrize(
    "name",
    ["os.path", "json.JSONDecoder", "cofilter.recommender.store.load", "cofilter.recommender.base.People",
     "cofilter.models.baseline.model.Nothing", "cofilter.models.nothing.Model", ""],
)  # fmt: skip
def test_only_models_are_made(name: str, folder: Path) -> None:
    told = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(told | {"class": name}))
    with pytest.raises(DataError):
        load(folder)


@pytest.mark.parametrize("damage", ["absent", "cut", "no arrays", "no key", "text"])
def test_a_damaged_folder_is_named(damage: str, folder: Path) -> None:
    content = (folder / ARRAYS).read_bytes()
    if damage == "absent":
        shutil.rmtree(folder)
    elif damage == "cut":
        (folder / ARRAYS).write_bytes(content[: len(content) // 2])
    elif damage == "no arrays":
        (folder / ARRAYS).unlink()
    elif damage == "no key":
        told = json.loads((folder / DESCRIPTION).read_text())
        del told["scale"]
        (folder / DESCRIPTION).write_text(json.dumps(told))
    else:
        (folder / DESCRIPTION).write_text("model")
    with pytest.raises(DataError, match="model"):
        load(folder)
