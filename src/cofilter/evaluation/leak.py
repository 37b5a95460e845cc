"""What a leak is worth: each method fitted with the test rows, and without them.

Published comparisons often take similarities and neighbours from the whole table, test rows
included. A row's own answer is then among its neighbours, and the error says little about ratings
that nobody has given yet. Both procedures here score the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt, model_validator
from tqdm import tqdm

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.config import Config
from cofilter.core.errors import CapabilityError
from cofilter.core.parts import Parts
from cofilter.metrics.rating import mae, rmse
from cofilter.models.knn.model import ItemKNN, UserKNN
from cofilter.recommender.base import Recommender
from cofilter.recommender.learner import Trains

METHOD, ROWS, OPTIMISM, FALLBACK = "method", "rows", "optimism", "honest_fallback_share"
LEAKING_RMSE, HONEST_RMSE = "leaking_rmse", "honest_rmse"
LEAKING_MAE, HONEST_MAE = "leaking_mae", "honest_mae"
COLUMNS = (
    METHOD, ROWS, LEAKING_RMSE, HONEST_RMSE, OPTIMISM, LEAKING_MAE, HONEST_MAE, FALLBACK
)  # fmt: skip


class LeakMethod(Config):
    """One method to compare; a plain string ``family/point`` is its name too.

    Attributes
    ----------
    name:
        What the table calls it.
    method:
        ``family/point``, such as knn/item or mf/biased-dim50.
    overrides:
        Hyper-parameters that differ from the configuration's own.
    """

    name: str
    method: str
    overrides: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _spelled_short(cls, value: Any) -> Any:
        return {"name": value, "method": value} if isinstance(value, str) else value


class LeakConfig(Config):
    """Group ``leak``.

    Attributes
    ----------
    methods:
        What is compared; none: the table is empty.
    rows:
        How many test rows are scored, drawn at random; None or more than there are: all.
    seed:
        Of that draw.
    """

    methods: tuple[LeakMethod, ...]
    rows: PositiveInt | None
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [entry.name for entry in self.methods]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"methods name {', '.join(twice)} twice")
        return self


def leaking_against_honest(
    parts: Parts,
    methods: Mapping[str, Callable[[], Recommender]],
    rows: int | None,
    seed: int,
    trainer: Trains | None = None,
) -> pd.DataFrame:
    """Errors of each method under both procedures, on the same test rows.

    ``honest``: fitted on train + validation, the number of epochs chosen on validation, as the
    shipped models are. ``leaking``: the same model with the same number of epochs, fitted on the
    test rows as well; a neighbourhood model's row then votes for itself with similarity 1.
    Where a model has no answer of its own its fallback counts.

    Parameters
    ----------
    methods:
        Makes an unfitted model for each name.
    rows, seed:
        As in `LeakConfig`. The draw bounds the cost of predicting; fitting costs as much as two
        train stages a method.
    trainer:
        For models that are fitted in epochs.

    Returns
    -------
    One row a method, in the given order, with `COLUMNS`: method, rows scored, RMSE and MAE of
    both, ``optimism`` = honest − leaking RMSE (above 0: the leak flatters), and which share of
    the honest answers was the fallback's. No test rows give the header alone.

    Raises
    ------
    CapabilityError
        A method does not predict ratings; raised before anything is fitted.
    """
    for name, make in methods.items():
        if not make().predicts_ratings:
            raise CapabilityError(f"{name} does not predict ratings, so it has no RMSE to compare")
    test = sampled(parts.test, rows, seed)
    if test.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    bar = tqdm(methods.items(), desc="leak", unit="method", disable=None, delay=2)
    compared = [{METHOD: name, **_compare(make, parts, test, trainer)} for name, make in bar]
    return pd.DataFrame(compared, columns=list(COLUMNS))


def sampled(table: pd.DataFrame, rows: int | None, seed: int) -> pd.DataFrame:
    """``rows`` rows drawn without replacement, in their own order; all when there are no more."""
    if rows is None or rows >= len(table):
        return table
    chosen = np.random.default_rng(seed).choice(len(table), rows, replace=False)
    return table.iloc[np.sort(chosen)]


def with_leak(model: Recommender) -> Recommender:
    """The model as the leaking procedure has it; one that has no neighbours stays as it is."""
    if isinstance(model, (UserKNN, ItemKNN)):
        return type(model)(model.config.model_copy(update={"self_votes": True}))
    return model


def _compare(
    make: Callable[[], Recommender], parts: Parts, test: pd.DataFrame, trainer: Trains | None
) -> dict[str, Any]:
    chosen = make()
    if chosen.gradient:  # only these choose anything on validation
        chosen.fit(parts.train, parts.validation if len(parts.validation) else None, trainer)
    known = pd.concat([parts.train, parts.validation], ignore_index=True)
    everything = pd.concat([known, parts.test], ignore_index=True)
    honest = chosen.for_refit().fit(known, None, trainer)
    leaking = with_leak(chosen.for_refit()).fit(everything, None, trainer)
    truth = test[RATING].to_numpy()
    predicted, fallback = honest.predict(test[USER], test[ITEM], return_fallback=True)
    flattered = leaking.predict(test[USER], test[ITEM])
    leaking_rmse, honest_rmse = rmse(truth, flattered), rmse(truth, predicted)
    assert leaking_rmse is not None  # there are test rows
    assert honest_rmse is not None
    return {
        ROWS: len(test),
        LEAKING_RMSE: leaking_rmse,
        HONEST_RMSE: honest_rmse,
        OPTIMISM: honest_rmse - leaking_rmse,
        LEAKING_MAE: mae(truth, flattered),
        HONEST_MAE: mae(truth, predicted),
        FALLBACK: float(fallback.mean()),
    }
