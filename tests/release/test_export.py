from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cofilter
from cofilter.core.errors import CapabilityError, DataError
from cofilter.recommender.base import Recommender
from cofilter.recommender.folder import DESCRIPTION, signature
from cofilter.release.embeddings import write_embeddings
from cofilter.release.everybody import recommend_all
from cofilter.release.index import (
    FOLDER,
    SPACES,
    ItemIndex,
    Space,
    index_of,
    recall_of,
)
from cofilter.release.indexed import indexed_items, search_by_index
from cofilter.release.manifest import MANIFEST, write_manifest
from cofilter.release.opened import CARD, NAMES, open_model
from tests.release.films import HOSTILE, als, exported, factors, items, log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(als(), tmp_path_factory.mktemp("served") / "films", index=True)


def test_an_exported_folder_answers_as_the_model_does(folder: Path) -> None:
    opened = open_model(folder)
    assert opened.name == "films"
    one, other = opened.model.recommend(range(1, 61), 10), als().recommend(range(1, 61), 10)
    assert all(map(np.array_equal, one, other))
    assert opened.catalogue.titles == items()["title"].tolist()
    assert opened.card["class"] == "ImplicitALS"
    text = (folder / "model_card.md").read_text()
    assert "It was not evaluated" in text
    assert f"{opened.card['index']['recall']:.1%} of the exact ten best" in text


def test_it_holds_no_file_that_runs(folder: Path) -> None:
    endings = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert endings == {".npy", ".json", ".md", ".parquet", ".usearch"}
    for path in folder.rglob("*.npy"):
        np.load(path, allow_pickle=False)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _turned(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_cut, _turned, Path.unlink])
@pytest.mark.parametrize(
    "name", ["arrays/own_item.npy", "model.json", "items.json", "model_card.json"]
)
def test_a_damaged_or_half_written_folder_is_refused_by_the_file(
    name: str, damage: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "films"
    shutil.copytree(folder, copy)
    damage(copy / name)
    with pytest.raises(DataError, match=name):
        open_model(copy)


def test_a_folder_without_its_list_of_files_is_half_copied(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / MANIFEST).unlink()
    with pytest.raises(DataError, match=r"manifest\.json: missing, so the folder is half copied"):
        open_model(tmp_path / "copy")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (CARD, [1], "no model card"),
        (NAMES, {"title": 1}, "holds no titles and genres"),
        (NAMES, {"title": [1] * 30, "genres": [None] * 30}, "holds no titles and genres"),
        (NAMES, {"title": ["a"], "genres": [""]}, "1 titles and 1 genres are given for 30 items"),
        (MANIFEST, {"model.json": 3}, "not a list of files"),
        (MANIFEST, [], "not a list of files"),
    ],
)
def test_a_file_of_another_kind_than_expected_is_one_line(
    name: str, content: object, line: str, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / name).write_text(json.dumps(content))
    if name != MANIFEST:
        write_manifest(tmp_path / "copy")
    with pytest.raises(DataError, match=line):
        open_model(tmp_path / "copy")


@pytest.mark.parametrize("name", ["popularity", "item_bias", "user_bias"])
def test_arrays_of_another_model_are_refused(name: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    np.save(tmp_path / "copy" / "arrays" / f"{name}.npy", np.zeros(3, np.float32))
    with pytest.raises(DataError, match="does not fit its checksum"):
        cofilter.load(tmp_path / "copy")
    values = json.loads((tmp_path / "copy" / DESCRIPTION).read_text())
    values["sha256"] = signature(values, tmp_path / "copy")
    (tmp_path / "copy" / DESCRIPTION).write_text(json.dumps(values))
    with pytest.raises(DataError, match=f"{name} has 3 values"):
        cofilter.load(tmp_path / "copy")


def test_a_file_that_nobody_listed_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "films"
    shutil.copytree(folder, copy)
    (copy / "arrays" / "other.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"other\.npy: not in manifest\.json"):
        open_model(copy)


def test_exporting_again_replaces_it_and_nothing_else_is(tmp_path: Path) -> None:
    folder = exported(als(), tmp_path / "films")
    exported(factors(), folder)
    assert open_model(folder).model.predicts_ratings
    assert [path.name for path in tmp_path.iterdir()] == ["films"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(DataError, match="is there and is no exported model"):
        exported(als(), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


@pytest.mark.parametrize("make", [
    als, factors,
    lambda: cofilter.BPR(dim=4, epochs=2).fit(log()),
    lambda: cofilter.MatrixFactorization(kind="biased", dim=4, epochs=2, scale=(0, 10)).fit(log()),
])  # fmt: skip
def test_embeddings_give_the_models_scores(make: Callable[[], Recommender], tmp_path: Path) -> None:
    model = make()
    assert write_embeddings(model, tmp_path)
    user, item = (np.load(tmp_path / f"{side}_embeddings.npy") for side in ("user", "item"))
    bias = [np.load(tmp_path / f"{side}_biases.npy") for side in ("user", "item")]
    formula = json.loads((tmp_path / "README.json").read_text())
    scores = formula["mean"] + bias[0][:, None] + bias[1] + user @ item.T
    scores = formula["zero"] + formula["unit"] * scores
    ids = pd.read_parquet(tmp_path / "users.parquet")["user_id"].to_numpy()
    rows = pd.read_parquet(tmp_path / "items.parquet")["item_id"].to_numpy()
    best, given = model.recommend(ids, 5, exclude_seen=False)
    at = np.searchsorted(rows, best)
    assert np.allclose(np.take_along_axis(scores, at, axis=1), given, atol=1e-5)
    assert np.allclose(np.sort(scores, axis=1)[:, ::-1][:, :5], given, atol=1e-5)


def test_a_model_without_factors_has_no_embeddings_and_no_index(tmp_path: Path) -> None:
    model = cofilter.EASE().fit(log())
    assert not write_embeddings(model, tmp_path / "embeddings")
    assert not (tmp_path / "embeddings").exists()
    with pytest.raises(CapabilityError, match="EASE has no factors"):
        exported(model, tmp_path / "films", index=True)
    assert not (tmp_path / "films").exists()


def test_the_index_finds_what_exact_search_finds(folder: Path) -> None:
    index, model = ItemIndex.load(folder / FOLDER), als()
    users = np.ascontiguousarray(model.user_[:, :-1])
    scores = users @ model.item_[:, :-1].T
    exact = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    found = index.search(users, 10)
    assert np.mean([np.isin(a, b).mean() for a, b in zip(exact, found, strict=True)]) >= 0.99
    measured = json.loads((folder / FOLDER / "index.json").read_text())
    assert measured["recall"] >= 0.99
    assert measured["users"] == 60


@pytest.mark.parametrize("make", [als, factors])
def test_lists_by_an_index_that_finds_all_are_the_exact_ones_to_the_bit(
    make: Callable[[], Recommender], tmp_path: Path
) -> None:
    """What is left out takes no place; ties, scores and the end of short lists are the same."""
    opened = open_model(exported(make(), tmp_path / "films", index=True))
    model, k = opened.model, len(opened.model.items_)
    assert not search_by_index(opened, "auto")  # too few items for it to pay
    users = [*model.users_.ids.tolist(), 999]
    exact = model.recommend(users, k)
    assert search_by_index(opened, "always")
    assert not model.goes_through_all
    for found, expected in zip(model.recommend(users, k), exact, strict=True):
        assert np.array_equal(found, expected)
    assert not set(model.recommend(7, k)[0][0]) & set(log().query("user_id == 7")["item_id"])


def test_an_index_of_another_model_and_none_at_all_are_refused(tmp_path: Path) -> None:
    few = cofilter.ImplicitALS(dim=4, epochs=1).fit(log().query("item_id < 20"))
    with pytest.raises(DataError, match="the index has 30 items, its model 19"):
        indexed_items(index_of(als())[0], few)
    opened = open_model(exported(als(), tmp_path / "films"))
    assert not search_by_index(opened, "auto")
    with pytest.raises(CapabilityError, match="holds no index"):
        search_by_index(opened, "always")


@pytest.mark.parametrize("space", SPACES)
def test_both_ways_of_an_index_keep_the_order_of_inner_products(space: Space) -> None:
    rng = np.random.default_rng(3)
    items = rng.normal(size=(400, 8)).astype(np.float32) * rng.exponential(size=(400, 1))
    users = rng.normal(size=(50, 8)).astype(np.float32)
    items = items.astype(np.float32)
    index = ItemIndex.of(items, space)
    index.set_depth(400)
    exact = np.argsort(-(users @ items.T), axis=1, kind="stable")[:, :10]
    assert recall_of(index.search(users, 10), exact) >= 0.995


def test_where_walking_by_inner_product_finds_too_little_the_better_way_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    of = ItemIndex.of.__func__

    def poor(cls: type[ItemIndex], items: np.ndarray, space: Space) -> ItemIndex:
        made.append(space)
        shown = items if space == "angle" else np.roll(items, 1, axis=0)  # other items' vectors
        index: ItemIndex = of(cls, shown, space)
        return index

    monkeypatch.setattr(ItemIndex, "of", classmethod(poor))
    index, measured = index_of(als())
    assert made == ["inner product", "angle"]
    assert index.space == measured.space == "angle"
    assert measured.recall >= 0.99


def test_a_damaged_index_is_one_line(tmp_path: Path) -> None:
    folder = exported(als(), tmp_path / "films", index=True)
    (folder / FOLDER / "items.usearch").write_bytes(b"usearch" + bytes(40))
    with pytest.raises(DataError, match=r"items\.usearch: not readable as an index"):
        ItemIndex.load(folder / FOLDER)


def test_everybodys_list_is_what_each_is_recommended(tmp_path: Path) -> None:
    n_rows = recommend_all(als(), tmp_path / "lists.parquet", 4)
    table = pd.read_parquet(tmp_path / "lists.parquet")
    assert n_rows == len(table) == 60 * 4
    expected = als().recommend(als().users_.ids, 4, as_frame=True)
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


def test_hostile_titles_are_kept_as_they_are(folder: Path) -> None:
    catalogue = open_model(folder).catalogue
    assert {item: catalogue.title(item) for item in HOSTILE} == HOSTILE
