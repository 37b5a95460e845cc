from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.errors import DataError
from cofilter.models.baseline.model import KINDS
from cofilter.models.ease.model import EASE
from cofilter.models.ensemble.model import Ensemble
from cofilter.models.knn.model import ItemKNN
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.folder import ARRAYS, DESCRIPTION, FORMAT, MAPPED, save, signature
from cofilter.recommender.store import load
from tests.models.contract import ratings_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = KINDS["bias"](ModelConfig(scale=(1.0, 5.0))).fit(ratings_table())
    save(model, tmp_path / "model")
    return tmp_path / "model"


def describe(folder: Path, **changes: Any) -> None:
    """Change ``model.json``, and its checksum with it."""
    values = json.loads((folder / DESCRIPTION).read_text()) | changes
    values["sha256"] = signature(values, folder)
    (folder / DESCRIPTION).write_text(json.dumps(values))


def rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Change ``arrays.npz``, which stays whole, and the checksum with it."""
    with np.load(folder / ARRAYS) as stored:
        arrays = dict(stored)
    change(arrays)
    np.savez(folder / ARRAYS, **arrays)
    describe(folder)


def refused(folder: Path) -> str:
    """The one line that `load` refuses a folder with."""
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.type is DataError
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


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


def test_mapped_arrays_are_shared_until_written_to(tmp_path: Path) -> None:
    model = cofilter.ImplicitALS(dim=2, epochs=1).fit(ratings_table())
    model.save(tmp_path)
    model.save(tmp_path, mapped=True)  # over the other form
    assert sorted(path.name for path in tmp_path.iterdir()) == [MAPPED, DESCRIPTION]
    first, second = load(tmp_path), load(tmp_path)
    array = first.item_
    assert isinstance(array.base, np.memmap)
    before = array.copy()
    array[:] = 0.0  # in this process's own pages
    assert np.array_equal(second.item_, before)
    assert np.array_equal(load(tmp_path).item_, before)


def test_a_damaged_or_missing_mapped_array_is_named(tmp_path: Path) -> None:
    cofilter.ImplicitALS(dim=2, epochs=1).fit(ratings_table()).save(tmp_path, mapped=True)
    path = tmp_path / MAPPED / "own_item.npy"
    whole = path.read_bytes()
    for content in (b"", whole[:20], whole[:-4], b"\x00" * len(whole)):
        path.write_bytes(content)
        assert "own_item.npy" in refused(tmp_path)
    path.unlink()
    assert "does not fit its checksum" in refused(tmp_path)
    describe(tmp_path)
    assert "holds no array 'item'" in refused(tmp_path)


def test_the_folder_says_what_it_is_and_holds_no_pickle(folder: Path) -> None:
    description = json.loads((folder / DESCRIPTION).read_text())
    assert (description["family"], description["model"]) == ("baseline", "BiasBaseline")
    assert description["format"] == FORMAT
    assert description["cofilter"] == cofilter.__version__
    assert description["config"]["scale"] == [1.0, 5.0]
    assert len(description["data_sha256"]) == 64
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "iufU" for name in arrays)


@pytest.mark.parametrize("error", [AttributeError, TypeError, KeyError, ZeroDivisionError])
def test_an_error_in_our_own_code_comes_through_as_it_is(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the folder, and hidden in another message it could not be found."""
    save(EASE().fit(ratings_table()), tmp_path)

    def broken(self: EASE, arrays: dict[str, np.ndarray]) -> None:
        raise error("a fault of the library")

    monkeypatch.setattr(EASE, "_restore", broken)
    with pytest.raises(error, match="a fault of the library"):
        load(tmp_path)


@pytest.mark.parametrize("family", [
    "../x", "..", "os.path", "os", "baseline.model", "baseline/model", "/etc", "", "Baseline",
    "_baseline", "nothing", "__init__", "baseline\n", "kernels", "json", 3, None,
])  # fmt: skip
def test_a_family_that_is_none_is_refused_and_nothing_imported(family: Any, folder: Path) -> None:
    describe(folder, family=family)
    before = set(sys.modules)
    line = refused(folder)
    assert "family" in line
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", [
    "Nothing", "Recommender", "_Baseline", "KINDS", "DataError", "Interactions", "replace",
    "np.load", "model", "", "ItemKNN", "BaselineConfig", 3,
])  # fmt: skip
def test_a_model_that_is_none_of_its_family_is_refused(name: Any, folder: Path) -> None:
    describe(folder, model=name)
    assert "model" in refused(folder)


@pytest.mark.parametrize("name", ["FactorRecommender", "ExplicitNothing", "Objective"])
def test_base_classes_in_a_family_s_module_are_no_models(name: str, tmp_path: Path) -> None:
    save(cofilter.ImplicitALS(dim=2, epochs=1).fit(ratings_table()), tmp_path)
    describe(tmp_path, model=name)
    assert f"als/{name}, which this version of cofilter does not have" in refused(tmp_path)


@pytest.mark.parametrize(("version", "line"), [
    (FORMAT + 1, f"format {FORMAT + 1}, written by cofilter 7.1; this is cofilter "
                 f"{cofilter.__version__}, which reads up to format {FORMAT}"),
    (FORMAT - 1, f"format {FORMAT - 1} is no longer read; train it again"),
    ("2", "not a cofilter model"), (2.0, "not a cofilter model"), (None, "not a cofilter model"),
])  # fmt: skip
def test_a_folder_of_another_format_says_so(version: Any, line: str, folder: Path) -> None:
    """Before anything else is looked at, since a newer one may have other keys."""
    describe(folder, format=version, cofilter="7.1", another_key=1)
    assert line in refused(folder)


def long_ids(longest: int) -> pd.DataFrame:
    table = ratings_table()
    ids = table["user_id"].map(lambda user: f"user {user} é")
    return table.assign(user_id=ids.replace(ids.iloc[0], "x" * longest))


def test_one_long_id_costs_what_it_holds(tmp_path: Path) -> None:
    """In fixed width each of the users would take as much as the longest id, times four."""
    table = long_ids(1_000_000)
    model = ItemKNN().fit(table)
    save(model, tmp_path)
    assert json.loads((tmp_path / DESCRIPTION).read_text())["format"] == FORMAT
    assert (tmp_path / ARRAYS).stat().st_size < 1_000_000 + 200_000
    again = load(tmp_path)
    assert again.users_.ids.tolist() == sorted(set(table["user_id"]))
    asked = [table["user_id"].iloc[0], table["user_id"].iloc[-1], "nobody"]
    for one, other in zip(model.recommend(asked), again.recommend(asked), strict=True):
        assert np.array_equal(one, other)
    assert again.data_sha256_ == model.data_sha256_


def test_long_ids_and_short_ones_give_the_same_scores() -> None:
    short, long = (ItemKNN().fit(long_ids(longest)) for longest in (64, 65))
    assert (short.users_.ids.dtype.kind, long.users_.ids.dtype.kind) == ("U", "O")
    for one, other in zip(short.recommend(["x" * 64]), long.recommend(["x" * 65]), strict=True):
        assert np.array_equal(one, other)


def test_damaged_long_ids_are_refused(tmp_path: Path) -> None:
    save(ItemKNN().fit(long_ids(100)), tmp_path)
    rewrite(tmp_path, lambda arrays: arrays.update({"users.ends": arrays["users.ends"][::-1]}))
    assert "users is no array of strings" in refused(tmp_path)
    rewrite(tmp_path, lambda arrays: arrays.pop("users.text"))
    assert "users is no array of strings" in refused(tmp_path)


@pytest.mark.parametrize("text", [
    "", "model", "{", "[]", "3", "null", '"format"', '{"class": "cofilter.models.knn.ItemKNN"}',
    '{"format": 2', b"\xff\xfe",
], ids=str)  # fmt: skip
def test_a_description_that_is_none_is_refused(text: str | bytes, folder: Path) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / DESCRIPTION).write_bytes(content)
    assert DESCRIPTION in refused(folder)


KEYS = ["family", "model", "cofilter", "config", "scale", "mean", "user_regularization", "engine"]
KEYS += ["device", "data_sha256", "epochs", "sha256"]


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(key: str, folder: Path) -> None:
    values = json.loads((folder / DESCRIPTION).read_text())
    assert values.keys() == {"format", *KEYS}
    del values[key]
    (folder / DESCRIPTION).write_text(json.dumps(values))
    assert f"{key}: missing" in refused(folder)


@pytest.mark.parametrize(("changes", "line"), [
    ({"scale": [1.0]}, "scale"), ({"mean": "high"}, "mean"), ({"mean": float("nan")}, "mean"),
    ({"config": []}, "config"), ({"extra": 1}, "extra: unknown key"),
    ({"config": {"seed": "3"}}, "config.seed"), ({"config": {"sed": 3}}, "config.sed: unknown"),
    ({"config": {"scale": [5, 1]}}, "scale must be"),
])  # fmt: skip
def test_a_wrong_value_is_named(changes: dict[str, Any], line: str, folder: Path) -> None:
    describe(folder, **changes)
    assert line in refused(folder)


def test_a_changed_number_or_another_model_s_arrays_do_not_fit_the_checksum(
    folder: Path, tmp_path: Path
) -> None:
    """One digit of the mean would shift every prediction; both files are whole by themselves."""
    whole = (folder / DESCRIPTION).read_text()
    mean = json.loads(whole)["mean"]
    (folder / DESCRIPTION).write_text(whole.replace(str(mean), str(mean + 1.0)))
    assert "does not fit its checksum" in refused(folder)
    (folder / DESCRIPTION).write_text(whole)
    load(folder)
    other = ratings_table()
    save(KINDS["bias"](ModelConfig(scale=(1.0, 5.0))).fit(other[1:]), tmp_path / "other")
    shutil.copy(tmp_path / "other" / ARRAYS, folder / ARRAYS)
    assert str(folder / ARRAYS) in refused(folder)


@pytest.mark.parametrize("name", ["users", "items", "popularity", "user_bias", "item_bias"])
def test_a_missing_array_is_named(name: str, folder: Path) -> None:
    rewrite(folder, lambda arrays: arrays.pop(name))
    assert f"{ARRAYS}: holds no array '{name}'" in refused(folder)


def test_a_missing_array_of_the_model_s_own_is_named(tmp_path: Path) -> None:
    save(EASE().fit(ratings_table()), tmp_path)
    rewrite(tmp_path, lambda arrays: arrays.pop("own_weights"))
    assert f"{ARRAYS}: holds no array 'weights'" in refused(tmp_path)


def test_every_way_of_damage_to_the_arrays_is_refused(folder: Path) -> None:
    """Files cut short at any place, and flipped bits anywhere; none is read as something else."""
    whole = (folder / ARRAYS).read_bytes()
    with np.load(folder / ARRAYS) as stored:
        arrays = dict(stored)
    rng = np.random.default_rng(0)
    cuts = [whole[:length] for length in (0, 1, *rng.integers(2, len(whole), 30), len(whole) - 1)]
    flips = []
    for place in rng.integers(0, len(whole), 300):
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.integers(8)
        flips.append(bytes(changed))
    n_refused = 0
    for content in cuts + flips:
        (folder / ARRAYS).write_bytes(content)
        try:
            model = load(folder)
        except DataError as error:
            assert str(folder / ARRAYS) in str(error)  # noqa: PT017 - some flips change nothing
            n_refused += 1
        else:
            assert np.array_equal(model.users_.ids, arrays["users"])
            assert np.array_equal(model.popularity_, arrays["popularity"])
            assert np.array_equal(model.biases_.item, arrays["item_bias"])
    assert n_refused >= len(cuts) + 0.8 * len(flips)  # the rest is dates and the like


@pytest.mark.parametrize("damage", ["absent", "no arrays", "array", "pickle", "text", "encrypted"])
def test_what_is_no_model_s_folder_is_refused(damage: str, folder: Path) -> None:
    path = folder / ARRAYS
    if damage == "absent":
        shutil.rmtree(folder)
    elif damage == "no arrays":
        path.unlink()
    elif damage == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif damage == "pickle":
        rewrite(folder, lambda arrays: arrays.update(users=np.array([{"a": 1}], object)))
    elif damage == "text":
        path.write_text("arrays")
    else:
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as file:
            start = file.start_dir
        content[start + 8] |= 1  # the first entry of the directory says that it is encrypted
        path.write_bytes(bytes(content))
    refused(folder)


def test_a_damaged_member_of_an_ensemble_is_named(tmp_path: Path) -> None:
    member = {"name": "knn/item", "rating_weight": 1.0, "ranking_weight": 1.0}
    config = Ensemble.config_class.model_validate(
        {"members": [member], "rank_constant": 60.0, "depth": 5}
    )
    save(Ensemble(config, {"knn/item": ItemKNN(k=3)}).fit(ratings_table()), tmp_path)
    (tmp_path / "knn" / "item" / ARRAYS).write_bytes(b"")
    assert str(Path("knn") / "item" / ARRAYS) in refused(tmp_path)
    shutil.rmtree(tmp_path / "knn")
    assert str(Path("knn") / "item" / DESCRIPTION) in refused(tmp_path)


@pytest.mark.parametrize("keep", [(True, True), (True, False), (False, True), (False, False)])
def test_an_ensemble_keeps_what_users_have_seen_as_it_says(
    keep: tuple[bool, bool], tmp_path: Path
) -> None:
    """Whether or not its members keep it."""
    member = {"name": "knn/item", "rating_weight": 1.0, "ranking_weight": 1.0}
    config = Ensemble.config_class.model_validate(
        {"members": [member], "rank_constant": 60.0, "depth": 5, "keep_seen": keep[0]}
    )
    model = Ensemble(config, {"knn/item": ItemKNN(k=3, keep_seen=keep[1])}).fit(ratings_table())
    save(model, tmp_path)
    loaded = load(tmp_path)
    for each in (model, loaded):
        assert (each.seen_ is not None) is keep[0]
    with np.load(tmp_path / ARRAYS) as arrays:
        assert ("history_item" in arrays) is (keep == (True, False))
    if keep[0]:
        expected = model.recommend([0, 10], 20)
        assert all(
            np.array_equal(a, b)
            for a, b in zip(loaded.recommend([0, 10], 20), expected, strict=True)
        )
