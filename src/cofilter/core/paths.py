"""Where things lie: inputs and outputs of stages, and what stays outside DVC."""

from __future__ import annotations

from pathlib import Path

# Outputs of stages, relative to the folder a stage writes to (DVC: the checkout it runs in).
RATINGS = Path("data/ratings.parquet")
ITEMS = Path("data/items.parquet")
SOURCE = Path("data/source.json")
FILTERED = Path("data/filtered.parquet")
FILTER_REPORT = Path("data/filter.json")
CHECKED = Path("data/checked.json")
SPLIT = Path("data/split")  # train.parquet, validation.parquet, test.parquet, audit.json
MODELS = Path("models")  # <family>/<point>/
RESULTS = Path("results")
BLENDED = RESULTS / "ensemble"  # a model folder; not in models/, on which its own stage depends

JOB_ERROR = Path("error.txt")  # in the run folder of a multirun's job that was refused: why

# Kept outside DVC, in the main checkout, so that every kind of run finds them.
DOWNLOADS = Path(".cache/downloads")
CHECKPOINTS = Path("checkpoints")
TRIALS = CHECKPOINTS / "search"  # <study>/<trial>/…: of the trials of `make search`
JOBS = CHECKPOINTS / "backtest"  # <fingerprint>/: one method in one window of the backtest
LOGS = Path("logs")
TIMINGS = LOGS / "timings"  # <family>-<point>.json


def main_checkout(folder: Path | None = None) -> Path:
    """The checkout that the user works in, also from one of DVC's temporary copies of it.

    ``dvc exp run --temp`` and ``--queue`` run stages in ``<checkout>/.dvc/tmp/exps/…``.
    Checkpoints, logs, downloads and relative paths given by the user belong to ``<checkout>``.
    """
    folder = (folder or Path.cwd()).resolve()
    for parent in (folder, *folder.parents):
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder
