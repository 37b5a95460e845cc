"""Cross-validation over random folds, for comparison with published figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
from tqdm import tqdm

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.metrics.rating import mae, rmse
from cofilter.preparation.split import SplitConfig, split_ratings
from cofilter.recommender.base import Recommender

METHOD, FOLD, ROWS, FALLBACK = "method", "fold", "rows", "fallback_share"
ERRORS = ("rmse", "mae")

Fit = Callable[[Recommender, pd.DataFrame, pd.DataFrame], Recommender]


def cross_validate(
    ratings: pd.DataFrame,
    split: SplitConfig,
    methods: Mapping[str, Callable[[], Recommender]],
    fit: Fit,
    folds: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Pooled errors of each method on each fold.

    Every test row is scored; where a model has no answer of its own, its fallback counts.

    Parameters
    ----------
    split:
        Of kind ``kfold``; its ``fold`` is not read.
    methods:
        Makes an unfitted model for each name.
    fit:
        Called as ``fit(model, train, validation)`` and gives the model to score. It decides what
        validation is for: stopping early, then fitting again on both.
    folds:
        Which folds to run; None: all of them.

    Returns
    -------
    One row a fold and method: method, fold, rmse, mae, rows, fallback_share.

    Raises
    ------
    ConfigError
        The split is of another kind, or a fold does not exist.
    CapabilityError
        A method does not predict ratings; raised before anything is fitted.
    """
    wanted = list(range(split.folds) if folds is None else folds)
    _refuse(split, methods, wanted)
    rows = []
    with tqdm(total=len(wanted) * len(methods), desc="folds", disable=None, delay=2) as progress:
        for fold in wanted:
            parts, _ = split_ratings(ratings, split.model_copy(update={"fold": fold}), None)
            for name, make in methods.items():
                model = fit(make(), parts.train, parts.validation)
                rows.append({METHOD: name, FOLD: fold, **_errors(model, parts.test)})
                progress.update()
    return pd.DataFrame(rows, columns=[METHOD, FOLD, *ERRORS, ROWS, FALLBACK])


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the folds, one row a method, lowest RMSE first.

    Columns: method, folds, rmse, rmse_sd, mae, mae_sd, rows (summed), fallback_share (mean). The
    sd is the sample's, Σ (x − mean)² / (n − 1) under the root; it is missing for a single fold.
    """
    by_method = results.groupby(METHOD, sort=False)
    columns: dict[str, pd.Series] = {"folds": by_method.size()}
    for error in ERRORS:
        columns[error] = by_method[error].mean()
        columns[f"{error}_sd"] = by_method[error].std(ddof=1)
    columns[ROWS] = by_method[ROWS].sum()
    columns[FALLBACK] = by_method[FALLBACK].mean()
    return pd.DataFrame(columns).reset_index().sort_values("rmse", kind="stable", ignore_index=True)


def _refuse(
    split: SplitConfig, methods: Mapping[str, Callable[[], Recommender]], folds: list[int]
) -> None:
    if split.kind != "kfold":
        raise ConfigError(f"split.kind: {split.kind} has no folds; kfold is expected")
    wrong = [fold for fold in folds if not 0 <= fold < split.folds]
    if wrong:
        raise ConfigError(f"fold {wrong[0]} does not exist: 0 to {split.folds - 1} are expected")
    for name, make in methods.items():
        if not make().predicts_ratings:
            raise CapabilityError(f"{name} does not predict ratings, so it has no RMSE to compare")


def _errors(model: Recommender, test: pd.DataFrame) -> dict[str, float | int | None]:
    predicted, fallback = model.predict(test[USER], test[ITEM], return_fallback=True)
    truth = test[RATING].to_numpy()
    return {
        "rmse": rmse(truth, predicted),
        "mae": mae(truth, predicted),
        ROWS: len(test),
        FALLBACK: float(fallback.mean()),
    }
