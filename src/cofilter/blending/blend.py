"""Learn a blend of trained models on validation alone, and say what validation thinks of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofilter.blending.weights import BlendConfig, Figures, ranking_weights, rating_weights
from cofilter.core.errors import DataError
from cofilter.core.io import write_json
from cofilter.core.matrix import Interactions
from cofilter.core.parts import Parts
from cofilter.models.ensemble.config import EnsembleConfig, MemberConfig
from cofilter.models.ensemble.model import Ensemble
from cofilter.recommender.config import ModelConfig
from cofilter.recommender.folder import save
from cofilter.recommender.store import load
from cofilter.scoring.answers import Answers, fingerprint, load_answers
from cofilter.scoring.config import PrimaryConfig, metric_names
from cofilter.scoring.folders import BLEND, ENSEMBLE, SELECTION, ModelFolder
from cofilter.scoring.scores import COUNTS
from cofilter.scoring.target import Target


@dataclass(frozen=True)
class Blend:
    """The fitted ensemble and what goes into its ``selection.json``."""

    ensemble: Ensemble
    selection: dict[str, Any]


def learn_blend(
    folders: Sequence[ModelFolder],
    parts: Parts,
    config: BlendConfig,
    evaluate: PrimaryConfig,
    shared: ModelConfig,
) -> Blend:
    """Choose members and weights on validation and put the shipped models together.

    Weights are learned from what each model answered on validation when it had seen train only.
    **Ratings**: stacked regression over the warm rows. **Rankings**: forward selection of lists
    for the primary metric, or for NDCG at the first k when the primary is no ranking metric, over
    the evaluable warm users (of a large validation part `MOST_USERS` of them). The members are
    then the models as they are shipped. The test part is not read.

    The validation figures in ``selection`` are **cross-validated over users**: each group of
    users is answered with members and weights chosen on the other groups alone. So no user's own
    rows helped to blend that user's answers, and the blend takes part fairly when the model to
    ship is selected; what advantage is left, early stopping on the same rows, single models have
    too. The figures are of warm rows, since weights have a say only there; those of all rows stay
    empty.

    Without `MIN_USERS` warm users that have rows, or a relevant item, nothing is learned: the
    ensemble then predicts no ratings, or does not rank, a warning says so, and the figures stay
    empty, so that it is not selected. So it is when no model rates, or none ranks. The figures
    also stay empty with ``evaluate.weighted``, since what is learned here counts all rows alike.

    Parameters
    ----------
    folders:
        The models to blend, with their answers beside them; a single one is blended with itself.
    shared:
        Scale and biases that all models have.

    Raises
    ------
    DataError
        No models; answers are missing or belong to other parts; models that are shipped were
        fitted on other ratings than these parts', or some refitted and some not.
    """
    if not folders:
        raise DataError("no model to blend: the sweep names none (points)")
    target = Target.of(
        parts.train,
        None,
        parts.validation,
        evaluate.relevance_threshold,
        shared.scale,
        weighted=evaluate.weighted,
    )
    answers = _answers(folders, fingerprint(Interactions.of(parts.train).sha256, target))
    for_ratings, errors = rating_weights(answers, target, config)
    for_rankings, lists = ranking_weights(answers, target, config, evaluate)
    ensemble = _ensemble(folders, for_ratings, for_rankings, config, shared)
    refit = _refitted(folders)
    fitted_on = Interactions.of(
        pd.concat([parts.train] + [parts.validation] * refit, ignore_index=True)
    )
    _refuse_others(ensemble, folders, fitted_on.sha256)
    ensemble.fit(fitted_on)
    figures = {} if evaluate.weighted else errors | lists
    validation = _summary(figures, evaluate)
    return Blend(ensemble, _selection(ensemble, config, refit, validation))


def save_blend(blend: Blend, folder: Path) -> None:
    """Write the ensemble, its members in sub-folders, with its selection; replaces the folder."""
    if folder.exists():
        shutil.rmtree(folder)
    save(blend.ensemble, folder)
    write_json(folder / SELECTION, blend.selection)


# Models and their answers ------------------------------------------------------------------------


def _ensemble(
    folders: Sequence[ModelFolder],
    for_ratings: np.ndarray,
    for_rankings: np.ndarray,
    config: BlendConfig,
    shared: ModelConfig,
) -> Ensemble:
    """The models that have a weight, loaded; the others are left where they are."""
    members, models = [], {}
    for folder, rating, share in zip(folders, for_ratings, for_rankings, strict=True):
        if rating or share:
            weights = {"rating_weight": float(rating), "ranking_weight": float(share)}
            members.append(MemberConfig(name=folder.name, **weights))
            models[folder.name] = load(folder.path)
    made_of = EnsembleConfig(
        scale=shared.scale,
        bias=shared.bias,
        keep_seen=shared.keep_seen,
        members=tuple(members),
        rank_constant=config.rank_constant,
        depth=config.depth,
    )
    return Ensemble(made_of, models)


def _answers(folders: Sequence[ModelFolder], expected: str) -> list[Answers]:
    found = [load_answers(folder.path) for folder in folders]
    for folder, answers in zip(folders, found, strict=True):
        if answers.data != expected:
            raise DataError(
                f"{folder.path}: its validation answers belong to other parts than this split's; "
                f"{folder.remedy}"
            )
    return found


def _refitted(folders: Sequence[ModelFolder]) -> bool:
    figures = {bool(folder.selection["refit"]) for folder in folders}
    if len(figures) > 1:
        raise DataError("some models were fitted again on train + validation, others were not")
    return figures.pop()


def _refuse_others(ensemble: Ensemble, folders: Sequence[ModelFolder], expected: str) -> None:
    for folder in folders:
        member = ensemble.members.get(folder.name)
        if member is not None and member.data_sha256_ != expected:
            raise DataError(
                f"{folder.path}: fitted on other ratings than this split's; {folder.remedy}"
            )


# What is told of it ------------------------------------------------------------------------------


def _summary(figures: Figures, evaluate: PrimaryConfig) -> dict[str, Any]:
    """As `Scores.summary`, of warm rows; the figures of all rows are None."""
    names = metric_names(evaluate)
    return {
        "warm": {name: figures.get(name) for name in names},
        "all": dict.fromkeys(names),
        "counts": {
            "warm": {name: figures.get(name) for name in COUNTS},
            "all": dict.fromkeys(COUNTS),
        },
    }


def _selection(
    ensemble: Ensemble, config: BlendConfig, refit: bool, validation: dict[str, Any]
) -> dict[str, Any]:
    chosen = ensemble.config
    return {
        "family": ENSEMBLE,
        "point": BLEND,
        "seed": config.seed,
        "engine": ensemble.engine_,
        "device": ensemble.device_,
        "epochs": None,
        "refit": refit,
        "validation": validation,
        "members": [member.model_dump() for member in chosen.members],
    }
