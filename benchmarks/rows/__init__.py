"""The rows of ``make bench``: who does what on which data, and what is to be reached."""

from __future__ import annotations

from benchmarks.row import Row
from benchmarks.rows.neighbours import item_knn, knn_predictions_r1, knn_predictions_surprise
from benchmarks.rows.rankings import bpr_epoch, bpr_quality, implicit_als, ranking, top_10
from benchmarks.rows.ratings import bayes, explicit, explicit_r1, mf_epoch, svdpp
from benchmarks.rows.stages import pipeline, preparation, scaling

# Short rows first, so that an interrupted run has most of the table.
ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        knn_predictions_surprise(),
        ranking(),
        svdpp(),
        bayes(sided=False),
        bayes(sided=True),
        knn_predictions_r1("user"),
        knn_predictions_r1("item"),
        item_knn(),
        implicit_als(),
        bpr_epoch(),
        bpr_quality(),
        top_10(),
        mf_epoch(),
        scaling(),
        preparation(),
        explicit_r1(),
        explicit(),
        pipeline(),
    )
}
