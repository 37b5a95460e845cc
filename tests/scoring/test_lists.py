from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, USER
from cofilter.core.errors import DataError
from cofilter.core.matrix import UNKNOWN
from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.als.model import ImplicitALS
from cofilter.models.baseline.model import BiasBaseline, Popularity
from cofilter.recommender.config import ModelConfig
from cofilter.scoring.lists import ranked_lists
from cofilter.scoring.scores import score
from cofilter.scoring.target import Target
from cofilter.training.loop import CheckpointConfig, Trainer
from tests.models.als import test_model as test_als


def test_lists_hold_unseen_train_items_and_say_which_are_relevant(
    parts: Parts, model_config: ModelConfig
) -> None:
    both = pd.concat([parts.train, parts.validation], ignore_index=True)
    model = BiasBaseline(model_config).fit(both)
    target = Target.of(parts.train, parts.validation, parts.test, 3.5)
    lists = ranked_lists(model, target, np.arange(len(target.users)), 100)
    history = set(zip(both[USER].tolist(), both[ITEM].tolist(), strict=True))
    rows = parts.test[target.relevant]
    liked = set(zip(rows[USER].tolist(), rows[ITEM].tolist(), strict=True))
    found = set()
    for user, items, hits in zip(target.users.ids.tolist(), lists.item, lists.hits, strict=True):
        given = target.items.ids[items[items != UNKNOWN]].tolist()
        unseen = {item for item in target.items.ids.tolist() if (user, item) not in history}
        assert sorted(given) == sorted(unseen)  # k is above the catalogue
        assert hits[: len(given)].tolist() == [(user, item) in liked for item in given]
        assert not hits[len(given) :].any()
        found |= {(user, item) for item, hit in zip(given, hits, strict=False) if hit}
    assert found == {pair for pair in liked if pair[1] in set(parts.train[ITEM])}


def test_nobody_gets_no_lists(parts: Parts, model_config: ModelConfig) -> None:
    target = Target.of(parts.train, None, parts.test, None)
    model = Popularity(model_config).fit(parts.train)
    lists = ranked_lists(model, target, np.empty(0, np.int64), 3)
    assert lists.item.shape == lists.hits.shape == (0, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_names_model_user_and_item(
    parts: Parts, model_config: ModelConfig, config: EvaluateConfig, value: float
) -> None:
    model = BiasBaseline(model_config).fit(parts.train)
    model._biases.item[3] = value
    model.predicts_ratings = False  # type: ignore[misc]  # or its predictions would be refused
    told = rf"BiasBaseline scores item {model.items_.ids[3]} with {value} for user \d+; a finite"
    with pytest.raises(DataError, match=told):
        score(model, parts.train, None, parts.test, config)


@pytest.mark.parametrize("side", ["user_", "item_"])
def test_factors_that_are_not_finite_are_refused_too(
    parts: Parts, config: EvaluateConfig, side: str, tmp_path: Path
) -> None:
    trainer = Trainer(CheckpointConfig(every_seconds=9, resume="never"), tmp_path)
    model = ImplicitALS(test_als.config("implicit")).fit(parts.train, trainer=trainer)
    assert isinstance(model, ImplicitALS)
    evaluable = model.users_.index(parts.test[USER])
    getattr(model, side)[evaluable[evaluable != UNKNOWN] if side == "user_" else 3, 0] = np.nan
    with pytest.raises(DataError, match=r"ImplicitALS scores item \d+ with nan for user \d+"):
        score(model, parts.train, None, parts.test, config)
