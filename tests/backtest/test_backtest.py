from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.backtest.backtest import backtest, save_backtest
from cofilter.backtest.blend import Blending
from cofilter.backtest.config import BacktestConfig
from cofilter.backtest.kept import JOB, SCORES
from cofilter.backtest.request import Request
from cofilter.backtest.stale import stale_jobs
from cofilter.backtest.windows import cut_window, window_cuts
from cofilter.blending.blend import learn_blend
from cofilter.blending.weights import BlendConfig
from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.errors import DataError, DivergedError, Interrupted
from cofilter.core.io import read_json, write_json
from cofilter.core.paths import JOBS
from cofilter.evaluation.backtested import read_backtested
from cofilter.evaluation.files import BACKTEST, BACKTEST_FACTS, BACKTEST_POOLED
from cofilter.preparation.split import SplitConfig
from cofilter.recommender.base import Recommender
from cofilter.scoring.config import metric_names
from cofilter.scoring.folders import expected_folders
from cofilter.scoring.scores import ScopeScores, score
from cofilter.training.point import save_point, train_point
from tests.backtest.conftest import DEFAULT, METHODS, make_request
from tests.evaluation.conftest import make_config, make_ratings


def scored(request: Request, name: str) -> list[tuple[np.ndarray, ScopeScores]]:
    """A method's scores of each window by the plain procedure, with the users that they are of."""
    found = []
    assert request.test is not None
    times = request.known[TIMESTAMP].to_numpy()
    for cut in window_cuts(times, request.test, request.split, request.config):
        parts = cut_window(request.known, cut, request.split).parts
        fitted = METHODS[name]().fit(parts.train, parts.validation)
        both = pd.concat([parts.train, parts.validation], ignore_index=True)
        model = fitted.for_refit().fit(both)
        told = score(model, parts.train, parts.validation, parts.test, request.evaluate)
        found.append((told.user_ids, told.warm))
    return found


@pytest.mark.parametrize("name", DEFAULT)
def test_each_row_is_the_pipeline_s_own_procedure_in_its_window(
    name: str, request_: Request, tmp_path: Path
) -> None:
    names = metric_names(request_.evaluate)
    table = backtest(request_, tmp_path).by_window
    rows = table[table["method"] == name].reset_index(drop=True)
    for at, (_, warm) in enumerate(scored(request_, name)):
        expected = warm.metrics(names)
        for metric in names:
            wanted = np.nan if expected[metric] is None else expected[metric]
            assert rows.loc[at, metric] == pytest.approx(wanted, nan_ok=True)
        assert rows.loc[at, "window"] == at + 1
        if warm.ranked is not None:
            assert rows.loc[at, "users"] == len(warm.ranked.user)
        if warm.errors is not None:
            assert rows.loc[at, "rows"] == warm.errors.rows.sum()


def test_the_pooled_interval_draws_users_with_all_of_their_windows(
    request_: Request, tmp_path: Path
) -> None:
    """NDCG and RMSE over drawn users, by lists: everything that a drawn user has comes along."""
    pooled = backtest(request_, tmp_path).pooled.set_index("method")
    ndcg: dict[int, list[float]] = {}
    errors: dict[int, list[tuple[float, int]]] = {}
    for users, warm in scored(request_, "knn/item"):
        assert warm.ranked is not None
        assert warm.errors is not None
        for at, value in zip(warm.ranked.user, warm.ranked.values["ndcg@5"], strict=True):
            ndcg.setdefault(users[at], []).append(value)
        for user, squared, rows in zip(users, warm.errors.squared, warm.errors.rows, strict=True):
            if rows:
                errors.setdefault(user, []).append((squared, rows))
    assert max(map(len, ndcg.values())) > 1  # somebody is in several windows
    row = pooled.loc["knn/item"]
    assert row["users"] == len(ndcg)
    assert row["pairs"] == sum(map(len, ndcg.values()))
    assert row["ndcg@5"] == pytest.approx(np.mean([v for values in ndcg.values() for v in values]))
    rng = np.random.default_rng(5)

    def ends(of: dict[int, list[Any]], figure: Callable[[list[Any]], Any]) -> list[float]:
        lists = list(of.values())
        drawn = [
            figure([each for at in rng.integers(0, len(lists), len(lists)) for each in lists[at]])
            for _ in range(4000)
        ]
        return np.quantile(drawn, [0.025, 0.975]).tolist()

    def rmse(pairs: list[tuple[float, int]]) -> float:
        return float(np.sqrt(sum(s for s, _ in pairs) / sum(n for _, n in pairs)))

    # Two bootstraps of 500 and 4,000 resamples: their ends differ by chance.
    width = row["ndcg@5_high"] - row["ndcg@5_low"]
    assert [row["ndcg@5_low"], row["ndcg@5_high"]] == pytest.approx(
        ends(ndcg, np.mean), abs=0.15 * width
    )
    width = row["rmse_high"] - row["rmse_low"]
    assert [row["rmse_low"], row["rmse_high"]] == pytest.approx(
        ends(errors, rmse), abs=0.15 * width
    )


def test_ranks_and_agreement_are_those_of_the_figures(request_: Request, tmp_path: Path) -> None:
    found = backtest(request_, tmp_path)
    wide = found.by_window.pivot(index="method", columns="window", values="ndcg@5").dropna()
    ranks = found.by_window.pivot(index="method", columns="window", values="rank").loc[wide.index]
    for window in wide:
        better = [(wide[window] > value).sum() + 1 for value in wide[window]]
        assert ranks[window].tolist() == better
    for each in found.facts["kendall_tau"]["between"]:
        one, other = (wide[window].to_numpy() for window in each["windows"])
        signs = [
            (np.sign(one[i] - one[j]), np.sign(other[i] - other[j]))
            for i, j in combinations(range(len(one)), 2)
        ]
        untied = [sum(bool(pair[side]) for pair in signs) for side in (0, 1)]
        tau = sum(a * b for a, b in signs) / np.sqrt(untied[0] * untied[1])
        assert each["tau"] == pytest.approx(tau)
    assert len(found.facts["kendall_tau"]["between"]) == 3
    assert found.pooled["rank"].dropna().tolist() == [1, 2, 3]
    assert pd.isna(found.pooled["rank"].iloc[-1])  # the mean does not rank
    share = found.by_window.groupby("method")["best_set"].mean()
    assert found.pooled.set_index("method")["windows_in_best_set"].to_dict() == share.to_dict()


def test_names_of_users_and_items_may_be_text(tmp_path: Path) -> None:
    """The same log with text for numbers of equal length, so that their order is the same."""
    numbers = make_ratings(n_users=60, n_items=30)
    text = numbers.assign(**{name: "id-" + numbers[name].astype(str) for name in (USER, ITEM)})
    methods = ("baseline/popularity", "knn/item")
    found = [
        backtest(make_request(ratings=ratings, methods=methods), tmp_path).pooled
        for ratings in (numbers, text)
    ]
    pd.testing.assert_frame_equal(*found)


def test_by_an_error_the_lowest_is_first(tmp_path: Path) -> None:
    evaluate = make_config(relevance_threshold=3.0, primary="rmse")
    pooled = backtest(make_request(evaluate=evaluate), tmp_path).pooled
    there = pooled["rmse"].dropna()
    assert there.is_monotonic_increasing
    assert len(there) == 3
    assert pooled["method"].iloc[-1] == "baseline/popularity"  # predicts no ratings


def test_a_second_run_fits_nothing_and_writes_the_same(tmp_path: Path) -> None:
    save_backtest(backtest(make_request(), tmp_path), tmp_path / "first")
    (tmp_path / "checkpoints").rename(tmp_path / "kept")
    save_backtest(backtest(make_request(), tmp_path), tmp_path / "anew")
    files = list((tmp_path / "kept").rglob(SCORES))
    assert len(files) == 3 * len(DEFAULT)
    assert not list((tmp_path / "kept").rglob("*.checkpoint"))  # of finished jobs
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "checkpoints").rglob(SCORES)}
    save_backtest(backtest(make_request(), tmp_path), tmp_path / "again")
    assert {path: path.stat().st_mtime_ns for path in written} == written
    for name in (BACKTEST, BACKTEST_POOLED, BACKTEST_FACTS):
        content = (tmp_path / "first" / name).read_bytes()
        assert (tmp_path / "anew" / name).read_bytes() == content
        assert (tmp_path / "again" / name).read_bytes() == content


def blended(**changed: Any) -> Request:
    """Three methods and their blend."""
    request = make_request(methods=("baseline/bias", "knn/item", "mf/biased-dim2-seed0"))
    config = BlendConfig(folds=3, bags=2, steps=3, min_weight=0.01, **changed)
    blending = Blending(config, request.evaluate, METHODS["knn/item"]().config)
    return replace(request, blending=blending)


def test_the_blend_is_the_stage_s_own_of_the_window_s_methods(tmp_path: Path) -> None:
    request = blended()
    table = backtest(request, tmp_path).by_window
    rows = table[table["method"] == "ensemble/blend"].reset_index(drop=True)
    assert len(rows) == 3
    assert request.blending is not None
    assert request.test is not None
    times = request.known[TIMESTAMP].to_numpy()
    for at, cut in enumerate(window_cuts(times, request.test, request.split, request.config)):
        parts, folder = cut_window(request.known, cut, request.split).parts, tmp_path / f"at{at}"
        for point in request.points:
            trained = train_point(point, parts, folder / "checkpoints")
            save_point(trained, folder / point.family / point.name)
        names = [(point.family, point.name) for point in request.points]
        blending = request.blending
        expected = learn_blend(
            expected_folders(folder, names), parts, blending.config, blending.primary,
            blending.shared,
        )  # fmt: skip
        told = score(expected.ensemble, parts.train, parts.validation, parts.test, request.evaluate)
        for metric in ("ndcg@5", "rmse"):
            wanted = told.warm.metrics((metric,))[metric]
            assert wanted is not None
            assert rows.loc[at, metric] == pytest.approx(wanted)


def test_models_are_there_until_their_window_s_blend_is_done(tmp_path: Path) -> None:
    """Without them another blend fits its members again, to the same scores."""
    jobs = tmp_path / JOBS
    before = backtest(blended(), tmp_path).by_window
    assert len(list(jobs.glob(f"*/{SCORES}"))) == 12
    assert not list(jobs.rglob("model.json"))
    same = backtest(blended(), tmp_path).by_window
    pd.testing.assert_frame_equal(same, before)
    other = backtest(blended(rank_constant=1.0), tmp_path).by_window
    assert len(list(jobs.glob(f"*/{SCORES}"))) == 15
    assert not list(jobs.rglob("model.json"))
    members = before["method"] != "ensemble/blend"
    scores = ["method", "ndcg@5", "rmse"]
    pd.testing.assert_frame_equal(other.loc[members, scores], before.loc[members, scores])
    assert not list(stale_jobs(tmp_path))


def test_what_changes_the_scores_runs_again(tmp_path: Path) -> None:
    """More methods, or other intervals, fit nothing that was fitted; other rows or options do."""
    jobs = tmp_path / JOBS

    def n_jobs(request: Request) -> int:
        backtest(request, tmp_path)
        return len(list(jobs.glob(f"*/{SCORES}")))

    one = ("knn/item",)
    assert n_jobs(make_request(methods=one)) == 3
    assert n_jobs(make_request(methods=(*one, "baseline/popularity"))) == 6
    assert n_jobs(make_request(methods=one, evaluate=make_config(relevance_threshold=4.0))) == 9
    other = make_request(methods=one)
    assert n_jobs(replace(other, points=[replace(other.points[0], refit=False)])) == 12
    assert n_jobs(make_request(BacktestConfig(windows=4, share=0.5), methods=one)) == 16


def test_a_damaged_job_is_said_and_done_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = backtest(make_request(), tmp_path).by_window
    damaged = sorted((tmp_path / JOBS).glob(f"*/{SCORES}"))[0]
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    pd.testing.assert_frame_equal(backtest(make_request(), tmp_path).by_window, before)
    assert f"{damaged}: damaged" in caplog.text
    assert damaged.read_bytes() == content


def test_a_signal_leaves_the_finished_jobs(tmp_path: Path) -> None:
    """SIGTERM in the second method's fit: the first one's job stays, the next run goes on."""
    request = make_request(methods=("baseline/popularity", "mf/biased-dim2-seed0"))
    whole = backtest(request, tmp_path / "whole").by_window
    finished = (tmp_path / JOBS).glob

    def stopping() -> Recommender:
        if list(finished(f"*/{SCORES}")):
            os.kill(os.getpid(), signal.SIGTERM)
        return METHODS["mf/biased-dim2-seed0"]()

    points = [request.points[0], replace(request.points[1], make=stopping)]
    with pytest.raises(Interrupted, match="1 of the backtest's 6 jobs are finished, run again"):
        backtest(replace(request, points=points), tmp_path)
    assert len(list(finished(f"*/{SCORES}"))) == 1
    pd.testing.assert_frame_equal(backtest(request, tmp_path).by_window, whole)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_failing_method_is_named_with_its_window(tmp_path: Path) -> None:
    request = make_request(methods=("mf/biased-dim2-seed0",))
    wild = replace(request.points[0], make=lambda: METHODS["mf/biased-dim2-seed0"](lr=1e9))
    with pytest.raises(DivergedError, match="mf/biased-dim2-seed0 in window 1 of the backtest: "):
        backtest(replace(request, points=[wild]), tmp_path)


@pytest.mark.parametrize(
    ("config", "split", "told"),
    [
        (BacktestConfig(windows=0), SplitConfig(), "backtest.windows is 0"),
        (BacktestConfig(), SplitConfig(kind="user_temporal"), "split user_temporal has no test"),
        (BacktestConfig(), SplitConfig(kind="random"), "split random has no test instant"),
    ],
)
def test_where_there_is_none_it_says_why(
    config: BacktestConfig,
    split: SplitConfig,
    told: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = backtest(make_request(config, split=split), tmp_path)
    save_backtest(found, tmp_path)
    assert told in caplog.text
    assert pd.read_csv(tmp_path / BACKTEST).empty
    assert (read_backtested(tmp_path, "ndcg@5").reason or "").startswith(told)


def test_a_window_without_users_is_one_clear_line(tmp_path: Path) -> None:
    """Every user has a single rating, so none is known before its own window."""
    n = 200
    ratings = pd.DataFrame(
        {USER: np.arange(n), ITEM: np.arange(n) % 7, RATING: 4.0, TIMESTAMP: np.arange(n) * 10}
    )
    with pytest.raises(DataError) as refused:
        backtest(make_request(ratings=ratings), tmp_path)
    line = str(refused.value)
    assert "\n" not in line
    assert "window 1 of 3" in line
    assert "none is of a user that its train knows" in line
    assert "backtest.windows=0" in line


def test_what_the_comparison_reads_is_what_was_written(request_: Request, tmp_path: Path) -> None:
    found = backtest(request_, tmp_path)
    save_backtest(found, tmp_path)
    told = read_backtested(tmp_path, "ndcg@5")
    there = found.pooled.dropna(subset=["ndcg@5"])
    assert told.figures == pytest.approx(dict(zip(there["method"], there["ndcg@5"], strict=True)))
    assert (told.reason, told.windows, told.pairs) == (None, 3, found.facts["pairs"])
    with pytest.raises(DataError, match="no rmse, by which models are compared; run the stage"):
        read_backtested(tmp_path, "rmse")


def test_jobs_of_other_code_are_stale(tmp_path: Path) -> None:
    backtest(make_request(methods=("knn/item",)), tmp_path)
    assert not list(stale_jobs(tmp_path))
    path = sorted((tmp_path / JOBS).glob(f"*/{JOB}"))[0]
    write_json(path, read_json(path) | {"code": "other"})
    assert [each.path for each in stale_jobs(tmp_path)] == [path.parent]
