"""Names of the files under ``results/``."""

from __future__ import annotations

LEADERBOARD, METRICS, REPORT = "leaderboard.csv", "metrics.json", "report.html"
FACTS = "facts.json"  # what the report tells beside the tables: configuration, split, source
IGNORE_WEIGHTS = "ignore_weights"  # its names of models, only where the rows have weights
EXAMPLES = "examples.json"  # what a few users would see of the model to ship
COMPARISON = "plots/comparison.csv"
LEARNING_CURVES = "plots/learning_curves.csv"
RMSE_BY_DIM = "plots/rmse_by_dim.csv"
BANDS = "plots/bands.csv"
CALIBRATION = "plots/calibration.csv"
SIMILARITY = "plots/similarity.csv"
FACTORS = "plots/factors.csv"
COLD_START = "plots/cold_start.csv"
PREMIUM = "plots/selection_premium.csv"
PRUNING = "plots/pruning.csv"  # only the header where the filter pruned nothing
RERANKING = "plots/reranking.csv"  # only the header where the shipped model does not rank
LEAK = "leak.csv"
REPRODUCTION = "reproduction.csv"
BACKTEST, BACKTEST_POOLED = "backtest.csv", "backtest_pooled.csv"
BACKTEST_FACTS = "backtest.json"  # its windows, or why there is none
