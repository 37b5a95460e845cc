"""What pruning makes of a test: the same models with the test rows that the filter dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from cofilter.core.parts import Parts
from cofilter.evaluation.config import EvaluateConfig
from cofilter.evaluation.leaderboard import Entry
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import metric_names
from cofilter.scoring.scores import score_target
from cofilter.scoring.target import Target

SIDES = ("pruned", "unpruned")
COLUMNS = [
    "model",
    "metric",
    *SIDES,
    "inflation",
    *(f"users_{side}" for side in SIDES),
    *(f"rows_{side}" for side in SIDES),
]


@dataclass
class PruningInflation:
    """Follows a comparison model by model, and scores each on the unpruned test as well.

    Parameters
    ----------
    target:
        Test and pruned test rows together; None: nothing was pruned, and nothing is scored.
    rows:
        Of test alone.
    """

    config: EvaluateConfig
    target: Target | None
    rows: int
    _found: dict[str, list[list[object]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        parts: Parts,
        pruned: pd.DataFrame | None,
        config: EvaluateConfig,
        scale: tuple[float, float] | None,
    ) -> PruningInflation:
        """Prepare what every model shares; ``pruned``: the test rows that a filter dropped."""
        if pruned is None or pruned.empty:
            return cls(config, None, len(parts.test))
        test = pd.concat([parts.test, pruned], ignore_index=True)
        threshold = config.relevance_threshold
        target = Target.of(
            parts.train, parts.validation, test, threshold, scale, weighted=config.weighted
        )
        return cls(config, target, len(parts.test))

    def see(self, entry: Entry, model: Recommender) -> None:
        """Score one model, whose row has its figures on the pruned test."""
        if self.target is None:
            return
        unpruned = score_target(model, self.target, self.config).summary()
        both = (entry.summary, unpruned)
        users = [told["counts"]["all"]["ranked_users"] for told in both]
        rows = self._found.setdefault(f"{entry.family}/{entry.point}", [])
        for metric in metric_names(self.config):
            figures = [told["all"][metric] for told in both]
            if None in figures:
                continue
            counts = users if "@" in metric else [None, None]
            of_rows = [self.rows, len(self.target)]
            rows.append([metric, *figures, figures[0] - figures[1], *counts, *of_rows])

    def table(self, models: Sequence[str]) -> pd.DataFrame:
        """A row a model (in this order) and metric; `COLUMNS`; no row where nothing was pruned.

        ``pruned`` is the leaderboard's figure of all rows, ``unpruned`` the same with the test rows
        that the filter dropped: their users and items are not in train, so that the model's
        fallback answers, and relevant items that it does not know are misses. ``inflation`` is
        pruned − unpruned; for errors a negative one flatters. ``users`` with a relevant item (of
        rankings alone) and ``rows``.
        """
        rows = [[name, *row] for name in models for row in self._found.get(name, [])]
        table = pd.DataFrame(rows, columns=COLUMNS)
        return table.astype(dict.fromkeys(COLUMNS[-4:], "Int64"))
