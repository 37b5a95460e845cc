"""Names of the files under ``results/``."""

from __future__ import annotations

LEADERBOARD, METRICS, REPORT = "leaderboard.csv", "metrics.json", "report.html"
COMPARISON = "plots/comparison.csv"
LEARNING_CURVES = "plots/learning_curves.csv"
RMSE_BY_DIM = "plots/rmse_by_dim.csv"
REPRODUCTION = "reproduction.csv"
