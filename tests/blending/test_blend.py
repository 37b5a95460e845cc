from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.blending.blend import Blend, learn_blend, save_blend
from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.core.parts import Parts
from cofilter.recommender.base import Recommender
from cofilter.recommender.folder import save
from cofilter.recommender.store import load
from cofilter.scoring.folders import ModelFolder, ensemble_folder
from cofilter.scoring.scores import score
from tests.blending.blending import (
    EVALUATE,
    MAKE,
    SHARED,
    blend_config,
    make_parts,
    shuffled_ratings,
    train,
)


def blend(folders: list[ModelFolder], parts: Parts, **changes: Any) -> Blend:
    return learn_blend(folders, parts, blend_config(**changes), EVALUATE, SHARED)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def answers(model: Recommender, parts: Parts) -> list[np.ndarray]:
    return [
        model.predict(parts.test[USER], parts.test[ITEM]),
        *model.recommend(parts.test[USER].unique(), 7, exclude=parts.train),
    ]


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("strings", [False, True])
def test_it_is_made_of_the_shipped_models(refit: bool, strings: bool, tmp_path: Path) -> None:
    parts = make_parts(strings=strings)
    found = blend(train(parts, tmp_path / "models", refit=refit), parts)
    save_blend(found, tmp_path / "blend")
    folder = ensemble_folder(tmp_path / "blend")
    assert folder.selection["refit"] is refit
    fitted_on = pd.concat([parts.train] + [parts.validation] * refit, ignore_index=True)
    model = load(folder.path)
    assert model.data_sha256_ == Interactions.of(fitted_on).sha256
    for mine, theirs in zip(answers(model, parts), answers(found.ensemble, parts), strict=True):
        assert np.array_equal(mine, theirs)
    expected = sum(
        member["rating_weight"]
        * load(tmp_path / "models" / member["name"])
        .predict(parts.test[USER], parts.test[ITEM])
        .astype(float)
        for member in folder.selection["members"]
        if member["rating_weight"]
    )
    assert model.predict(parts.test[USER], parts.test[ITEM]) == pytest.approx(expected, rel=1e-6)


def test_equal_runs_write_equal_bytes_and_replace_what_was_there(tmp_path: Path) -> None:
    parts = make_parts()
    folders = train(parts, tmp_path / "models")
    for name in "ab":
        save_blend(blend(folders, parts), tmp_path / name)
    before = content(tmp_path / "a")
    assert before == content(tmp_path / "b")
    save_blend(blend(folders[:1], parts), tmp_path / "b")
    save_blend(blend(folders, parts), tmp_path / "b")
    assert content(tmp_path / "b") == before


def test_the_test_part_is_never_looked_at(tmp_path: Path) -> None:
    parts = make_parts()
    folders = train(parts, tmp_path)
    other = Parts(parts.train, parts.validation, shuffled_ratings(parts.test).iloc[:5])
    assert blend(folders, parts).selection == blend(folders, other).selection


def test_selection_has_every_metric_and_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    parts = make_parts()
    told = blend(train(parts, tmp_path), parts).selection["validation"]
    fitted = MAKE["knn/item"]().fit(parts.train)
    single = score(fitted, parts.train, None, parts.validation, EVALUATE).summary()
    assert told["warm"].keys() == single["warm"].keys()
    assert None not in told["warm"].values()
    for name in ("rated_rows", "ranked_users"):
        assert told["counts"]["warm"][name] == single["counts"]["warm"][name]
    assert set(told["all"].values()) == {None}


def test_a_single_model_is_blended_with_itself(tmp_path: Path) -> None:
    parts = make_parts()
    (folder,) = train(parts, tmp_path, ["knn/item"])
    found = blend([folder], parts)
    (member,) = found.selection["members"]
    assert member == {"name": "knn/item", "rating_weight": 1.0, "ranking_weight": 1.0}
    for metric, value in folder.selection["validation"]["warm"].items():
        assert found.selection["validation"]["warm"][metric] == pytest.approx(value), metric
    alone = load(folder.path)
    assert np.array_equal(answers(found.ensemble, parts)[0], answers(alone, parts)[0])
    assert np.array_equal(answers(found.ensemble, parts)[1], answers(alone, parts)[1])


@pytest.mark.parametrize(
    ("names", "can"),
    [
        (["ease/binary", "baseline/popularity"], (False, True)),
        (["baseline/global_mean"], (True, False)),
    ],
)
def test_where_none_rates_or_ranks_the_blend_does_not_either(
    names: list[str], can: tuple[bool, bool], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = make_parts()
    found = blend(train(parts, tmp_path, names), parts)
    assert (found.ensemble.predicts_ratings, found.ensemble.ranks) == can
    warm = found.selection["validation"]["warm"]
    assert (warm["rmse"] is not None, warm["ndcg@5"] is not None) == can
    assert "none of the models can" in caplog.text


@pytest.mark.parametrize("case", ["no validation rows", "only cold users"])
def test_without_warm_users_there_is_nothing_to_learn(case: str, tmp_path: Path) -> None:
    parts = make_parts()
    cold = parts.validation.assign(**{USER: parts.validation[USER] + 1})
    held_out = parts.validation.iloc[:0] if case == "no validation rows" else cold
    parts = Parts(parts.train, held_out, parts.test)
    found = blend(train(parts, tmp_path / "models"), parts)
    assert found.selection["members"] == []
    assert set(found.selection["validation"]["warm"].values()) == {None}
    save_blend(found, tmp_path / "blend")
    scores = score(
        load(tmp_path / "blend"), parts.train, parts.validation, parts.test, EVALUATE
    ).summary()
    assert set(scores["warm"].values()) == {None}


def test_refuses_models_that_do_not_belong_together(tmp_path: Path) -> None:
    parts = make_parts()
    with pytest.raises(DataError, match="no model to blend"):
        blend([], parts)
    other = Parts(parts.train, shuffled_ratings(parts.validation), parts.test)
    folders = train(parts, tmp_path / "models")
    with pytest.raises(DataError, match="global_mean: its validation answers belong to other"):
        blend(folders, other)
    half = train(parts, tmp_path / "models", ["knn/item"], refit=False)
    with pytest.raises(DataError, match="some models were fitted again"):
        blend([*folders[:3], *half], parts)
    save(MAKE["knn/item"]().fit(parts.test), folders[3].path)
    with pytest.raises(DataError, match=r"knn/item: fitted on other ratings .* train_knn"):
        blend(folders[3:4], parts)
