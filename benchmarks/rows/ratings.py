"""Rows of models that predict ratings."""

from __future__ import annotations

from typing import Any

from benchmarks.judging import Judge, all_of, beside, faster, not_worse, reaches
from benchmarks.row import OURS, Line, Outcomes, Row, Side
from benchmarks.rows.parties import (
    FACTORS,
    FOLDS,
    LARGE,
    LENSKIT,
    MYFM,
    OTHERS,
    R1,
    SMALL,
    side,
)

ONE_THREAD = "cofilter, 1 thread"
ALS = "cofilter ALS"
LOOP = "R1 in torch"
TOY = {"dim": 8, "n_epochs": 3}
# LensKit's own defaults but for the dim.
EXPLICIT: dict[str, Any] = {"dim": 64, "n_epochs": 10, "regularization": 0.1}
EXPLICIT_ALS: dict[str, Any] = {**EXPLICIT, "family": "als", "kind": "explicit"}
# λ as data of MovieLens 20M's size wants it; the default is tuned to 100 K.
BIASED: dict[str, Any] = {"family": "mf", "kind": "biased", "dim": 64, "n_epochs": 15, "l2": 0.05}


def mf_epoch() -> Row:
    """An epoch at dim 100, with one thread too: the bits must be the same."""
    ours: dict[str, Any] = {**BIASED, "dim": 100, "n_epochs": 3, "smoke": {"dim": 10}}

    def same_bits(outcomes: Outcomes) -> tuple[bool, str]:
        seen = {each.facts["bits"] for name in (OURS, ONE_THREAD) for each in outcomes[name]}
        same = "the same bits" if len(seen) == 1 else f"{len(seen)} DIFFERENT results"
        return len(seen) == 1, f"{same} with 1 and 2 threads; {_engine(outcomes)}"

    return Row(
        "mf_epoch",
        (
            side(OURS, FACTORS, "epochs", LARGE, **ours),
            side(LOOP, R1, "epochs", LARGE, dim=100, n_epochs=1, smoke={"dim": 10}),
            side(ONE_THREAD, FACTORS, "epochs", LARGE, **ours, runs=1, threads=1),
        ),
        all_of(
            faster("biased MF, an epoch at dim 100", LOOP, 1 / 30, extra=same_bits),
            beside("biased MF, an epoch at dim 100 with 1 thread", LOOP, ONE_THREAD),
        ),
        runs=3,
    )


def explicit() -> Row:
    """Explicit ALS against LensKit's, and MF's time to its RMSE; LensKit runs once for both."""
    return Row(
        "explicit",
        (
            side(OURS, FACTORS, "curve", LARGE, **BIASED, smoke=TOY),
            _lenskit(LARGE),
            side(
                ALS, FACTORS, "curve", LARGE, family="als", kind="explicit", **EXPLICIT, smoke=TOY
            ),
            side("cmfrec", OTHERS, "cmfrec_als", LARGE, **EXPLICIT, smoke=TOY, runs=1),
        ),
        all_of(
            reaches("biased MF, dim 64, time to explicit ALS's final test RMSE", "lenskit", 0.2),
            faster(
                "explicit ALS, an epoch at dim 64",
                "lenskit",
                0.5,
                ALS,
                extra=not_worse("rmse", "lenskit", ALS),
            ),
            beside("explicit ALS, an epoch at dim 64", "cmfrec", ALS),
        ),
        runs=3,
    )


def explicit_r1() -> Row:
    """R1's loop beside ours and LensKit's at 2 M ratings."""
    loop = reaches("R1's loop, dim 64, time to the same RMSE, 2 M ratings", "lenskit", 1, ours=LOOP)
    return Row(
        "explicit_r1",
        (
            side(OURS, FACTORS, "curve", SMALL, **BIASED, smoke=TOY),
            _lenskit(SMALL),
            side(LOOP, R1, "curve", SMALL, dim=64, n_epochs=50, smoke=TOY, runs=1),
        ),
        all_of(
            reaches("biased MF, dim 64, time to explicit ALS's RMSE, 2 M ratings", "lenskit", 0.2),
            _without_bar(loop),
        ),
        runs=3,
    )


def svdpp() -> Row:
    """A fold a run: time to the RMSE that Surprise's SVD++ ends with."""
    ours: dict[str, Any] = {"family": "mf", "kind": "svdpp", "dim": 20, "n_epochs": 40}
    return Row(
        "svdpp",
        (
            side(OURS, FACTORS, "curve", FOLDS, **ours, smoke=TOY),
            side("Surprise", OTHERS, "surprise_svdpp", FOLDS),
        ),
        reaches("SVD++ on ml-100k, dim 20, time to the same RMSE", "Surprise", 0.05),
    )


def bayes(sided: bool) -> Row:
    """A fold a run: rank 10, 300 draws, all of them kept."""
    told: dict[str, Any] = {"draws": 300, "kept": 300, "dim": 10}
    few = {"draws": 20, "kept": 20, "dim": 4}
    kind = "sided" if sided else "plain"
    what = "with the implicit side" if sided else "plain"
    return Row(
        f"bayes_{kind}",
        (
            side(OURS, FACTORS, "gibbs", FOLDS, **told, kind=kind, burn_in=0, smoke=few),
            side("myfm", MYFM, "gibbs", FOLDS, **told, sided=sided, smoke=few),
        ),
        faster(
            f"Bayesian factorization on ml-100k, rank 10, 300 draws, {what}",
            "myfm",
            0.5,
            extra=not_worse("rmse", "myfm"),
        ),
    )


def _lenskit(data: Any) -> Side:
    return side("lenskit", LENSKIT, "explicit_als", data, **EXPLICIT, smoke=TOY)


def _engine(outcomes: Outcomes) -> str:
    return f"engine {outcomes[OURS][0].facts['engine']}"


def _without_bar(judge: Judge) -> Judge:
    """The peer's figures alone, for orientation."""

    def told(outcomes: Outcomes) -> list[Line]:
        lines = judge(outcomes)
        notes = [line.note.replace("ours", "it") for line in lines]
        return [
            Line(line.what, "beside", line.ours, line.peer, line.ratio, None, note)
            for line, note in zip(lines, notes, strict=True)
        ]

    return told
