from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import DataError
from cofilter.models.baseline.model import BiasBaseline, GlobalMean, Popularity
from cofilter.recommender.base import Recommender
from cofilter.recommender.ranking import to_ids
from cofilter.scoring import answers as module
from cofilter.scoring.answers import ANSWERS, Answers, list_users, load_answers, save_answers
from cofilter.scoring.target import Target
from tests.models.contract import ratings_table


def parts(strings: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = ratings_table().sample(frac=1, random_state=0, ignore_index=True)
    if strings:
        rows = rows.assign(**{column: "0" + rows[column].astype(str) for column in (USER, ITEM)})
    return rows.iloc[:200], rows.iloc[200:]


@pytest.mark.parametrize("strings", [False, True])
@pytest.mark.parametrize("model", [BiasBaseline(), GlobalMean(), Popularity()], ids=type)
def test_keeps_what_the_model_answers(model: Recommender, strings: bool, tmp_path: Path) -> None:
    train, validation = parts(strings)
    target = Target.of(train, None, validation, 4.0)
    model.fit(train)
    save_answers(Answers.of(model, target), tmp_path)
    read = load_answers(tmp_path)
    if model.predicts_ratings:
        assert np.array_equal(read.predicted, model.predict(validation[USER], validation[ITEM]))
    else:
        assert read.predicted is None
    if not model.ranks:
        assert read.ranked is None
        return
    assert read.ranked is not None
    users = target.users.ids[list_users(target)]
    liked = validation[(validation[RATING] >= 4) & validation[ITEM].isin(train[ITEM])]
    assert users.tolist() == sorted(set(liked[USER]) & set(train[USER]))
    items, _ = model.recommend(users, 100, exclude=train)
    assert np.array_equal(to_ids(read.ranked, target.items), items)


def test_equal_answers_have_equal_bytes_and_name_their_data(tmp_path: Path) -> None:
    train, validation = parts()
    target = Target.of(train, None, validation, 4.0)
    found = Answers.of(BiasBaseline().fit(train), target)
    for name in "ab":
        save_answers(Answers.of(BiasBaseline().fit(train), target), tmp_path / name)
    assert (tmp_path / "a" / ANSWERS).read_bytes() == (tmp_path / "b" / ANSWERS).read_bytes()
    others = [
        (train.iloc[1:], validation, 4.0),
        (train, validation.iloc[1:], 4.0),
        (train, validation, 3.0),
    ]
    for other_train, other_validation, threshold in others:
        other = Target.of(other_train, None, other_validation, threshold)
        assert Answers.of(BiasBaseline().fit(other_train), other).data != found.data


def test_of_many_users_a_fixed_sample_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation = parts()
    target = Target.of(train, None, validation, 4.0)
    everybody = list_users(target)
    monkeypatch.setattr(module, "MOST_USERS", 7)
    some = list_users(target)
    assert len(some) == 7
    assert (np.diff(some) > 0).all()
    assert set(some) < set(everybody)
    assert np.array_equal(some, list_users(target))


def test_no_validation_rows_are_no_answers(tmp_path: Path) -> None:
    train, validation = parts()
    target = Target.of(train, None, validation.iloc[:0], 4.0)
    save_answers(Answers.of(BiasBaseline().fit(train), target), tmp_path)
    read = load_answers(tmp_path)
    assert read.predicted is not None
    assert read.ranked is not None
    assert (len(read.predicted), len(read.ranked)) == (0, 0)


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"validation\.npz: file not found; train this model again"):
        load_answers(tmp_path)
    (tmp_path / ANSWERS).write_bytes(b"PK no")
    with pytest.raises(DataError, match=r"validation\.npz: not readable"):
        load_answers(tmp_path)
