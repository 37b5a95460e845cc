"""Who takes part on which data, by short names."""

from __future__ import annotations

from typing import Any

from benchmarks.row import Side, Size

LARGE: dict[Size, str] = {"full": "synthetic_20m", "quick": "synthetic_2m", "smoke": "smoke"}
SMALL: dict[Size, str] = {"full": "synthetic_2m", "quick": "synthetic_2m", "smoke": "smoke"}
TOP: dict[Size, str] = {"full": "top_20m", "quick": "top_2m", "smoke": "top_smoke"}
CSV: dict[Size, str] = {"full": "csv_20m", "quick": "csv_2m", "smoke": "csv_smoke"}
FOLDS: dict[Size, str] = {"full": "ml_100k", "quick": "ml_100k", "smoke": "smoke"}
RANKING: dict[Size, str] = {"full": "ml_100k_ranking", "quick": "ml_100k_ranking", "smoke": "smoke"}

NEIGHBOURS = "benchmarks.ours.neighbours"
FACTORS = "benchmarks.ours.factors"
PIPELINE = "benchmarks.ours.pipeline"
IMPLICIT = "benchmarks.peers.implicit_models"
LENSKIT = "benchmarks.peers.lenskit_models"
OTHERS = "benchmarks.peers.other_models"
MYFM = "benchmarks.peers.myfm_model"
R1 = "benchmarks.peers.r1"


def side(name: str, module: str, function: str, data: dict[Size, str], **rest: Any) -> Side:
    """A `Side`; ``smoke``, ``runs`` and ``threads`` are its own, the rest are options."""
    own = {key: rest.pop(key) for key in ("smoke", "runs", "threads") if key in rest}
    return Side(name, f"{module}:{function}", data, rest, **own)
