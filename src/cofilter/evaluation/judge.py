"""One model's scores on test, and everything that is told of it beside others."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from cofilter.core.errors import DataError
from cofilter.core.matrix import Interactions
from cofilter.core.parts import Parts
from cofilter.evaluation.bands import COLUMNS as BAND_COLUMNS
from cofilter.evaluation.bands import Bands, band_scores
from cofilter.evaluation.beyond import Catalogue, beyond_accuracy, beyond_names
from cofilter.evaluation.calibration import COLUMNS as BIN_COLUMNS
from cofilter.evaluation.calibration import calibration
from cofilter.evaluation.cold_start import COLUMNS as CURVE_COLUMNS
from cofilter.evaluation.cold_start import Newcomers, cold_start
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.faithfulness import Explained, Faithfulness, faithfulness
from cofilter.evaluation.files import BANDS, CALIBRATION, COLD_START
from cofilter.evaluation.intervals import contributions, contributions_to, score_intervals
from cofilter.evaluation.leaderboard import Entry
from cofilter.evaluation.premium import SelectionPremium
from cofilter.evaluation.pruning import PruningInflation
from cofilter.recommender.base import Recommender
from cofilter.recommender.store import load
from cofilter.scoring.folders import ModelFolder
from cofilter.scoring.scores import SCOPES, Scores, score_target
from cofilter.scoring.target import Target

# Files with rows of every model, and their columns.
PER_MODEL = {
    BANDS: BAND_COLUMNS,
    CALIBRATION: BIN_COLUMNS,
    COLD_START: CURVE_COLUMNS,
}


@dataclass(frozen=True)
class Verdict:
    """What a judge found of one model.

    Attributes
    ----------
    entry:
        Its row of the leaderboard.
    tables:
        Its rows of each file in `PER_MODEL`.
    dim:
        Length of its factors; None where it has none.
    uses_weights:
        Whether it learns from the rows' weights.
    """

    entry: Entry
    tables: dict[str, pd.DataFrame]
    dim: int | None
    uses_weights: bool


@dataclass(frozen=True)
class Judge:
    """What all models are scored on; made once.

    Attributes
    ----------
    target:
        The test part as what is to be predicted.
    """

    parts: Parts
    config: EvaluateConfig
    target: Target
    catalogue: Catalogue
    bands: Bands
    newcomers: Newcomers
    explained: Explained
    _fitted_on: dict[bool, str] = field(default_factory=dict)  # hashes, by whether refitted

    @classmethod
    def of(
        cls, parts: Parts, config: EvaluateConfig, scale: tuple[float, float] | None = None
    ) -> Judge:
        """Prepare what every model shares; ``scale``: that of the ratings, when it is named."""
        threshold = config.relevance_threshold
        target = Target.of(
            parts.train,
            parts.validation,
            parts.test,
            threshold,
            scale,
            weighted=config.weighted,
        )
        return cls(
            parts,
            config,
            target,
            Catalogue.of(parts.train, target, config),
            Bands.of(parts.train, target, config.bands),
            Newcomers.of(parts, config.cold_start, threshold, scale),
            Explained.of(parts, config),
        )

    def verdict(
        self, folder: ModelFolder, premium: SelectionPremium, pruning: PruningInflation
    ) -> Verdict:
        """Load a model and score it; `DataError` when it was fitted on other data.

        ``premium`` and ``pruning`` see the model and its scores, which are not kept.
        """
        model = load(folder.path)
        self._refuse_other_data(model, folder)
        scores = score_target(model, self.target, self.config)
        tables = {
            BANDS: band_scores(scores, self.target, self.bands, self.config),
            CALIBRATION: calibration(scores, self.target, self.config),
            COLD_START: cold_start(model, self.newcomers, self.config),
        }
        entry = self._entry(folder, scores, faithfulness(model, self.explained, self.config))
        premium.see(entry, folder.selection["validation"]["warm"], scores)
        pruning.see(entry, model)
        dim = getattr(model.config, "dim", None)
        return Verdict(entry, tables, dim, model.uses_weights)

    def _refuse_other_data(self, model: Recommender, folder: ModelFolder) -> None:
        refit = bool(folder.selection["refit"])
        if refit not in self._fitted_on:
            fitted_on = [self.parts.train] + [self.parts.validation] * refit
            table = pd.concat(fitted_on, ignore_index=True)
            self._fitted_on[refit] = Interactions.of(table).sha256
        if model.data_sha256_ != self._fitted_on[refit]:
            part = "train + validation" if refit else "train"
            raise DataError(
                f"{folder.path}: fitted on other ratings than this split's {part} "
                f"(fingerprint {model.data_sha256_[:12]}, expected "
                f"{self._fitted_on[refit][:12]}); {folder.remedy}"
            )

    def _entry(self, folder: ModelFolder, scores: Scores, reasons: Faithfulness | None) -> Entry:
        selection, config = folder.selection, self.config
        validation = selection["validation"]["warm"]
        if config.primary not in validation:
            raise DataError(
                f"{folder.path}: its validation metrics have no {config.primary}; {folder.remedy}"
            )
        beyond = beyond_accuracy(scores, self.catalogue, config)
        summary = scores.summary()
        for scope in SCOPES:
            absent: dict[str, float | None] = dict.fromkeys(beyond_names(config))
            summary[scope] |= beyond[scope].metrics(config) if scope in beyond else absent
        return Entry(
            folder.family,
            folder.point,
            selection["seed"],
            selection["engine"],
            selection["device"],
            validation[config.primary],
            summary,
            score_intervals(scores, beyond, config.uncertainty),
            contributions(scores, config),
            contributions_to(f"hit_rate@{config.list_length}", scores.warm, len(scores.user_ids)),
            reasons=reasons,
        )
