from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import parse
from cofilter.core.errors import ConfigError
from cofilter.models.mf.config import MFConfig
from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.reproduction.lab import unclipped
from cofilter.reproduction.r4 import R4Config, in_order, masked, numbered_anew
from tests.checkout import PROJECT
from tests.reproduction.conftest import MakeLab
from tests.reproduction.systems import system

LATEST_SMALL = PROJECT / "../shared/data/ml-latest-small/ratings.csv"


def test_the_mask_is_that_of_numpy_s_global_generator(ratings: pd.DataFrame) -> None:
    np.random.seed(3)
    chosen = np.random.rand(len(ratings)) < 0.8
    train, rest = masked(ratings, 0.8, 3)
    assert train.index.tolist() == ratings.index[chosen].tolist()
    assert rest.index.tolist() == ratings.index[~chosen].tolist()


def test_numbering_anew_takes_the_nth_for_the_nth(ratings: pd.DataFrame) -> None:
    train, rest = masked(ratings, 0.8, 3)
    renamed = numbered_anew(rest, train)
    for column in (USER, ITEM):
        theirs, ours = list(dict.fromkeys(rest[column])), list(dict.fromkeys(train[column]))
        named = dict(zip(theirs, ours, strict=False))
        expected = [named.get(value) for value in rest.loc[renamed.index, column]]
        assert renamed[column].tolist() == expected
    assert renamed[RATING].equals(rest.loc[renamed.index, RATING])


def test_seeds_are_counted_whose_losses_rise_in_the_published_order() -> None:
    losses = pd.DataFrame(
        [[2.0, 1.0, 3.0], [1.0, 2.0, 3.0], [1.0, 1.0, 3.0], [2.0, 1.5, 9.0]],
        index=[3, 5, 7, 8],
        columns=["a", "b", "c"],
    )
    figure = in_order(losses, ["b", "a", "c"])
    assert (figure.value, figure.note) == (2, "of 4 seeds; 3, 8")
    assert in_order(losses, ["c", "b", "a"]).note == "of 4 seeds; none"


def test_what_is_no_order_or_no_row_of_fits_is_refused() -> None:
    _, procedure = system("r4_notebook")
    parse(R4Config, procedure, "procedure")
    with pytest.raises(ConfigError, match=r"each of .*network, fit 3.* once is expected"):
        parse(R4Config, procedure | {"order": procedure["order"][1:]}, "procedure")
    constant = procedure["dot"] | {"schedule": "constant"}
    with pytest.raises(ConfigError, match=r"dot\.schedule: .* is expected"):
        parse(R4Config, procedure | {"dot": constant}, "procedure")


@pytest.mark.parametrize("kind", ["dot", "biased"])
def test_fits_in_a_row_are_those_of_a_plain_torch_loop(
    kind: str, ratings: pd.DataFrame, lab_of: MakeLab
) -> None:
    """Embeddings, squared error, Adam with weight decay, started anew for each fit."""
    _, procedure = system("r4_notebook")
    short = {"dim": 3, "epochs": 7, "schedule": [[3, 0.1], [4, 0.01]]}
    config = unclipped(MFConfig.model_validate(procedure[kind] | short))
    learner = MatrixFactorization(config)
    fitted = lab_of(ratings).fit("", learner, ratings)
    start = MatrixFactorization(config.model_copy(update={"epochs": 1}))
    tables = start_of(start, ratings)
    user, item = (torch.tensor(index.astype(np.int64)) for index in indices(fitted, ratings))
    truth = torch.tensor(ratings[RATING].to_numpy(np.float32))
    for epochs, rate in short["schedule"]:  # type: ignore[union-attr]
        adam = torch.optim.Adam(tables, lr=rate, weight_decay=config.weight_decay)
        for _ in range(epochs):
            adam.zero_grad()
            rows, columns = tables[0][user], tables[1][item]
            score = (rows[:, :-1] * columns[:, :-1]).sum(dim=1)
            if kind == "biased":
                score = score + rows[:, -1] + columns[:, -1]
            torch.nn.functional.mse_loss(score, truth).backward()
            adam.step()
    with torch.no_grad():
        rows, columns = tables[0][user], tables[1][item]
        score = (rows[:, :-1] * columns[:, :-1]).sum(dim=1)
        score = score + rows[:, -1] + columns[:, -1] if kind == "biased" else score
    predicted = fitted.predict(ratings[USER], ratings[ITEM])
    np.testing.assert_allclose(predicted, score.numpy(), rtol=2e-3, atol=2e-3)


def start_of(model: MatrixFactorization, ratings: pd.DataFrame) -> list[torch.Tensor]:
    """The tables that the torch engine starts from."""
    from cofilter.core.matrix import Interactions

    data = Interactions.of(ratings)
    model._biases = type("Level", (), {"mean": 0.0})()  # type: ignore[assignment]
    parameters = model._learner(data).parameters()
    return [torch.tensor(parameters[name], requires_grad=True) for name in ("user", "item")]


def indices(model: MatrixFactorization, ratings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return model.users_.index(ratings[USER]), model.items_.index(ratings[ITEM])


@pytest.mark.skipif(not LATEST_SMALL.exists(), reason="ml-latest-small is not beside the project")
def test_the_notebook_s_train_part_has_its_users_and_movies() -> None:
    table = pd.read_csv(Path(LATEST_SMALL)).rename(columns={"userId": USER, "movieId": ITEM})
    train, _ = masked(table, 0.8, 3)
    assert (train[USER].nunique(), train[ITEM].nunique()) == (610, 8998)
