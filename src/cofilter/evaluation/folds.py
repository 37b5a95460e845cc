"""Cross-validation over random folds: errors of ratings, and rankings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
from tqdm import tqdm

from cofilter.core.columns import ITEM, RATING, USER
from cofilter.core.errors import CapabilityError, ConfigError
from cofilter.core.parts import Parts
from cofilter.metrics.rating import mae, rmse
from cofilter.preparation.split import FOLDED_KINDS, SplitConfig, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import PrimaryConfig, lower_is_better
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target

METHOD, FOLD, ROWS, FALLBACK = "method", "fold", "rows", "fallback_share"
USERS, RANKING_FALLBACK = "users", "ranking_fallback_share"
ERRORS = ("rmse", "mae")

Fit = Callable[[Recommender, pd.DataFrame, pd.DataFrame], Recommender]


def compared(config: PrimaryConfig) -> list[str]:
    """Metrics of a cross-validation with rankings: the primary, NDCG and recall at each k, errors.

    The primary comes first where it ranks.
    """
    ranked = [f"{name}@{k}" for name in ("ndcg", "recall") for k in config.k]
    first = [] if config.primary in ERRORS else [config.primary]
    return list(dict.fromkeys([*first, *ranked, *ERRORS]))


def cross_validate(
    ratings: pd.DataFrame,
    split: SplitConfig,
    methods: Mapping[str, Callable[[], Recommender]],
    fit: Fit,
    folds: Iterable[int] | None = None,
    rankings: PrimaryConfig | None = None,
) -> pd.DataFrame:
    """Each method's figures on each fold.

    Every test row counts; where a model has no answer of its own, its fallback answers. Candidates
    of a ranking are the items outside the fold, less what the user has rated there; a relevant
    item that is only in the fold is a miss.

    Parameters
    ----------
    split:
        Of kind ``kfold`` or ``user_kfold``; its ``fold`` is not read.
    methods:
        Makes an unfitted model for each name.
    fit:
        Called as ``fit(model, train, validation)`` and gives the model to score. It decides what
        validation is for: stopping early, then fitting again on both.
    folds:
        Which folds to run; None: all of them.
    rankings:
        How lists are scored; None: errors alone.

    Returns
    -------
    One row a fold and method: method, fold, the metrics, rows, fallback_share (of ratings), and
    with ``rankings`` users (with a relevant item) and ranking_fallback_share. The metrics are rmse
    and mae, or those of `compared`. Missing where the method does not rate, does not rank, or where
    the numbers are clicks or counts.

    Raises
    ------
    ConfigError
        The split is of another kind, or a fold does not exist.
    CapabilityError
        Without ``rankings``, a method does not predict ratings; raised before anything is fitted.
    """
    wanted = list(range(split.folds) if folds is None else folds)
    _refuse(split, methods, wanted, rated=rankings is None)
    rows = []
    with tqdm(total=len(wanted) * len(methods), desc="folds", disable=None, delay=2) as progress:
        for fold in wanted:
            parts, _ = split_ratings(ratings, split.model_copy(update={"fold": fold}), None)
            for name, make in methods.items():
                model = fit(make(), parts.train, parts.validation)
                if rankings is None:
                    figures = _errors(model, parts.test)
                else:
                    figures = _scores(model, parts, rankings)
                rows.append({METHOD: name, FOLD: fold, **figures})
                progress.update()
    metrics = list(ERRORS) if rankings is None else compared(rankings)
    more = [] if rankings is None else [USERS, RANKING_FALLBACK]
    table = pd.DataFrame(rows, columns=[METHOD, FOLD, *metrics, ROWS, FALLBACK, *more])
    return table.astype(dict.fromkeys([*metrics, FALLBACK, *more[1:]], float))  # None: missing


def summary(results: pd.DataFrame, by: str = "rmse") -> pd.DataFrame:
    """Mean and standard deviation over the folds, one row a method, the best by ``by`` first.

    Methods without it come last, by their RMSE. Columns: method, folds, each metric and its sd,
    rows (summed), the fallback shares (means). The sd is the sample's, Σ (x − mean)² / (n − 1)
    under the root; it is missing for a single fold.
    """
    by_method = results.groupby(METHOD, sort=False)
    columns: dict[str, pd.Series] = {"folds": by_method.size()}
    counts = (METHOD, FOLD, ROWS, FALLBACK, USERS, RANKING_FALLBACK)
    for name in results.columns.drop([each for each in counts if each in results]):
        values = by_method[name]
        columns[name] = values.mean()
        columns[f"{name}_sd"] = values.std(ddof=1)
    columns[ROWS] = by_method[ROWS].sum()
    for name in (FALLBACK, RANKING_FALLBACK):
        if name in results:
            columns[name] = by_method[name].mean()
    order = list(dict.fromkeys([by, "rmse"]))
    ascending = [lower_is_better(name) for name in order]
    table = pd.DataFrame(columns).reset_index()
    return table.sort_values(order, ascending=ascending, kind="stable", ignore_index=True)


def _refuse(
    split: SplitConfig,
    methods: Mapping[str, Callable[[], Recommender]],
    folds: list[int],
    *,
    rated: bool,
) -> None:
    if split.kind not in FOLDED_KINDS:
        expected = " or ".join(FOLDED_KINDS)
        raise ConfigError(f"split.kind: {split.kind} has no folds; {expected} is expected")
    wrong = [fold for fold in folds if not 0 <= fold < split.folds]
    if wrong:
        raise ConfigError(f"fold {wrong[0]} does not exist: 0 to {split.folds - 1} are expected")
    for name, make in methods.items() if rated else ():
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


def _scores(
    model: Recommender, parts: Parts, config: PrimaryConfig
) -> dict[str, float | int | None]:
    """Of all rows; what validation holds is known to the model, which is fitted on both."""
    known = pd.concat([parts.train, parts.validation], ignore_index=True)
    scale = model.config.scale
    target = Target.of(
        known, None, parts.test, config.relevance_threshold, scale, weighted=config.weighted
    )
    scores = score_target(model, target, config).summary()
    counts = scores["counts"]["all"]
    return {
        **{name: scores["all"][name] for name in compared(config)},
        ROWS: len(parts.test),
        FALLBACK: counts["rating_fallback_share"],
        USERS: counts["ranked_users"],
        RANKING_FALLBACK: counts["ranking_fallback_share"],
    }
