"""The tracked runs of a whole pipeline, read back: what each stage counted, used and logged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cofilter.core.parts import AUDIT, content_hashes
from cofilter.tracking.lineage import LINEAGE, Edge, edges
from stages.tracked import run_group
from tests.checkout import Checkout
from tests.conftest import STAGES
from tests.tracking.wandb_log import Run, read_run

TRAINED = "mf-biased-dim4-seed0"


@pytest.fixture(scope="module")
def runs(finished: Checkout) -> dict[str, Run]:
    """By stage; no stage has two."""
    folders = list((finished.path / "logs" / "wandb").glob("offline-run-*"))
    found = {run.job_type: run for run in map(read_run, folders)}
    assert len(found) == len(folders)
    return found


@pytest.fixture(scope="module")
def lineage(finished: Checkout) -> list[Edge]:
    return edges(finished.path / LINEAGE)


def content(finished: Checkout, name: str) -> Any:
    return json.loads((finished.path / name).read_text(encoding="utf-8"))


def of_kind(lineage: list[Edge], stage: str, kind: str) -> dict[str, str]:
    """Digests by artifact."""
    return {e.artifact: e.digest for e in lineage if (e.stage, e.kind) == (stage, kind)}


def test_every_stage_has_one_whole_run(runs: dict[str, Run]) -> None:
    assert runs.keys() == {name.partition("@")[0] for name in STAGES}
    assert {run.exit_code for run in runs.values()} == {0}


def test_runs_of_one_split_are_one_group(finished: Checkout, runs: dict[str, Run]) -> None:
    split = run_group(content_hashes(content(finished, f"data/split/{AUDIT}")))
    others = {"download", "filter", "reproduce"}  # of the data, and of a published system
    assert {run.group for stage, run in runs.items() if stage not in others} == {split}
    assert runs["download"].group == runs["filter"].group != split


@pytest.mark.parametrize(
    ("stage", "file"),
    [
        ("download", "data/source.json"),
        ("filter", "data/filter.json"),
        ("split", f"data/split/{AUDIT}"),
        ("blend", "results/ensemble/selection.json"),
    ],
)
def test_a_run_holds_what_its_stage_counted(
    finished: Checkout, runs: dict[str, Run], stage: str, file: str
) -> None:
    expected = content(finished, file)
    assert {name: runs[stage].summary[name] for name in expected} == expected


def test_check_backtest_and_leak_hold_their_figures(
    finished: Checkout, runs: dict[str, Run]
) -> None:
    assert runs["check"].summary["points"] == runs["check"].summary["fit"] == 4  # and leak's own
    pooled = pd.read_csv(finished.path / "results/backtest_pooled.csv").set_index("method")
    held = runs["backtest"].summary
    assert (held["windows"], held["pairs"]) == (2, pooled["pairs"].max())
    for method, figures in held["pooled"].items():
        assert figures["ndcg@10"] == pytest.approx(pooled.at[method, "ndcg@10"])
    assert held["pooled"].keys() == set(pooled.index)
    assert runs["leak"].numbers("leak/nrows") == [(1,)]
    assert runs["reproduce"].summary["figures"] == 0


def test_data_are_referred_to_and_not_copied(finished: Checkout, runs: dict[str, Run]) -> None:
    for stage, name, files in (
        ("download", "ratings", {"ratings.parquet", "items.parquet"}),
        ("filter", "filtered", {"filtered.parquet"}),
        ("split", "split", {"train.parquet", "validation.parquet", "test.parquet", AUDIT}),
    ):
        references = runs[stage].references[name]
        assert references.keys() == files
        assert all(uri.startswith("file:///") for uri in references.values())
        assert not any(runs[stage].files[name])


def test_lineage_leads_from_the_source_to_the_shipped_model(
    finished: Checkout, runs: dict[str, Run], lineage: list[Edge]
) -> None:
    assert {edge.run for edge in lineage} == {run.run_id for run in runs.values()}
    makers: dict[tuple[str, str], str] = {}
    users: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for edge in lineage:
        if edge.kind == "logged":
            makers[edge.artifact, edge.digest] = edge.stage
        else:
            users[edge.artifact, edge.digest].add(edge.stage)

    def sources(artifact: tuple[str, str]) -> Iterator[str]:
        """Artifacts that nobody has made, upwards from one."""
        if artifact not in makers:
            yield artifact[0]
            return
        for used in of_kind(lineage, makers[artifact], "used").items():
            yield from sources(used)

    shipped = runs["evaluate"].summary["shipped"]
    digest = of_kind(lineage, "evaluate", "used")[shipped]
    assert set(sources((shipped, digest))) == {"source"}
    (source,) = (edge for edge in lineage if edge.artifact == "source")
    assert [Path(uri).name for _, uri, *_ in source.files] == ["ratings.csv"]
    split = ("split", of_kind(lineage, "split", "logged")["split"])
    assert users[split] == runs.keys() - {"download", "filter", "split", "reproduce"}
    models = of_kind(lineage, "evaluate", "used").keys() - {"split"}
    assert models == {"baseline-bias", "knn-item", TRAINED, "ensemble-blend"}


def test_wandb_draws_the_curves_and_the_comparison(
    finished: Checkout, runs: dict[str, Run]
) -> None:
    assert runs["train_mf"].charts.keys() == {"learning_curve_loss", "learning_curve_rmse"}
    assert runs["train_knn"].charts == {}
    charts = runs["evaluate"].charts
    assert charts["comparison"]["panel_config"]["panelDefId"] == "wandb/bar/v0"
    assert charts["rmse_by_dim"]["panel_config"]["fieldSettings"]["stroke"] == "model"
    board = pd.read_csv(finished.path / "results/plots/comparison.csv")
    assert runs["evaluate"].numbers("comparison_table/nrows") == [(len(board),)]


def test_evaluate_logs_the_leaderboard_and_the_report_s_figures(
    finished: Checkout, runs: dict[str, Run]
) -> None:
    run = runs["evaluate"]
    logged = {name.removesuffix("/path") for row in run.rows for name in row if "/path" in name}
    assert {"leaderboard", "ndcg-10-on-test", "rmse-on-test", "items-rated-alike"} <= logged
    (folder,) = (finished.path / "logs" / "wandb").glob(f"offline-run-*-{run.run_id}")
    page = (finished.path / "results" / "report.html").read_text(encoding="utf-8")
    for name in logged - {"leaderboard", "comparison_table", "rmse_by_dim_table"}:
        assert f'id="{name}"' in page
        ((file,),) = run.numbers(f"{name}/path")
        chart = (folder / "files" / file).read_text(encoding="utf-8")
        assert chart.count("<svg") == 1
        assert "http" not in chart.replace("http://www.w3.org", "")


def test_a_stage_that_is_not_run_and_an_untracked_one_have_no_run(checkout: Checkout) -> None:
    before = checkout.outputs()
    checkout.dvc("repro", tracking="offline")
    checkout.compose("tracking.mode=disabled")
    checkout.dvc("repro", "check", tracking="offline")
    assert not (checkout.path / "logs" / "wandb").exists()
    assert checkout.outputs() == before


def test_the_group_is_dvcs_experiment_or_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    assert run_group(["a", "b"]) == run_group(["a", "b"]) != run_group(["a", "c"])
    assert run_group(["ab"]) != run_group(["a", "b"])
    monkeypatch.setenv("DVC_EXP_NAME", "tidy-otter")
    assert run_group(["a", "b"]) == "tidy-otter"
