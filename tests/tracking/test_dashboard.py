from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cofilter.tracking.dashboard import SPEC, dashboard, publish, write_spec
from tests.tracking.runs import config

METRICS = ["ndcg@10", "rmse", "mae"]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def spec(root: Path, **given: Any) -> list[dict[str, Any]]:
    told = {"group": "g1", "families": ["mf", "bpr"], "metrics": METRICS} | given
    path = write_spec(dashboard(config(), **told), root)
    assert path == root / SPEC
    blocks: list[dict[str, Any]] = json.loads(path.read_text())["spec"]["blocks"]
    return blocks


def grids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block["metadata"] for block in blocks if block["type"] == "panel-grid"]


def filters(grid: dict[str, Any]) -> dict[str, Any]:
    (run_set,) = grid["runSets"]
    return {each["key"]["name"]: each["value"] for each in run_set["filters"]["filters"]}


def panels(grid: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = grid["panelBankSectionConfig"]["panels"]
    return found


def test_every_part_shows_the_groups_runs_of_its_stages(tmp_path: Path) -> None:
    scored, validated, *curves, grouped = grids(spec(tmp_path))
    assert filters(scored) == {"group": "g1", "jobType": ["evaluate"]}
    assert filters(validated) == {"group": "g1", "jobType": ["train_mf", "train_bpr"]}
    assert [filters(grid)["jobType"] for grid in curves] == [["train_mf"], ["train_bpr"]]
    assert filters(grouped) == {"group": "g1"}
    assert grouped["runSets"][0]["grouping"] == [{"section": "run", "name": "jobType"}]


def test_panels_name_what_the_runs_log(tmp_path: Path) -> None:
    scored, validated, curves, *_ = grids(spec(tmp_path))
    table, media = panels(scored)
    assert '"val": "leaderboard"' in json.dumps(table)
    assert "ndcg-10-on-test" in media["config"]["mediaKeys"]
    coordinates, *bars = panels(validated)
    columns = coordinates["config"]["columns"]
    assert [column["accessor"] for column in columns] == [
        "summary:fit_seconds",
        *(f"summary:warm.{name}" for name in METRICS),
    ]
    assert [column.get("inverted") for column in columns[1:]] == [False, True, True]
    assert len(bars) == len(METRICS)
    assert [panel["config"]["metrics"] for panel in panels(curves)] == [
        ["rmse"],
        ["ndcg@10"],
        ["loss"],
    ]
    assert {panel["config"]["xAxis"] for panel in panels(curves)} == {"epoch"}
    for grid in (scored, validated, curves):
        places = [tuple(panel["layout"][side] for side in "xy") for panel in panels(grid)]
        assert len(set(places)) == len(places)


@pytest.mark.parametrize("mode", ["auto", "offline"])
def test_without_a_login_one_line_says_what_is_missing(tmp_path: Path, mode: str) -> None:
    told = publish(config(mode=mode), tmp_path, group="g1", families=["mf"], metrics=METRICS)
    assert "\n" not in told
    assert ("wandb login" in told) == (mode == "auto")
    assert str(tmp_path / SPEC) in told
    assert (tmp_path / SPEC).is_file()
