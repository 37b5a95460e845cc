from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cofilter.core.errors import DataError
from cofilter.tracking.data import data_of
from cofilter.tracking.lineage import LINEAGE, SENT, Edge, append, edges, pending
from tests.tracking.runs import folders, tracker
from tests.tracking.test_outage import ROOT
from tests.tracking.wandb_log import read_run

EDGE = Edge("r1", "p", None, "train_mf", "used", "split", "dataset", "d1")
PROCESSES, LINES = 3, 300


def test_wandb_offline_refuses_what_the_file_is_for(tmp_path: Path) -> None:
    """When wandb learns it, this fails and the file can go."""
    source = tmp_path / "ratings.csv"
    source.write_text("1,2,3\n")
    with tracker(tmp_path) as tracked:
        tracked.start()
        with pytest.raises(TypeError, match="offline"):
            tracked._run.use_artifact("split:latest")
        with pytest.raises(NotImplementedError):
            tracked._run.link_artifact(tracked._run.log_artifact(str(source)), "r/c")


def test_an_offline_run_keeps_what_it_used_logged_and_linked(tmp_path: Path) -> None:
    part = tmp_path / "part.csv"
    part.write_text("1,2,3\n")
    used, made = data_of("split", "dataset", [part]), data_of("mf", "model", [part])
    with tracker(tmp_path, registry="model") as tracked:
        tracked.use_data(used)
        tracked.log_data(made)
        tracked.log_artifact("copy", "model", part)
        tracked.link_data(made)
    run = read_run(folders(tmp_path)[0])
    found = edges(tmp_path / LINEAGE)
    assert [(e.kind, e.artifact) for e in found] == [
        ("used", "split"),
        ("logged", "mf"),
        ("logged", "copy"),
        ("linked", "mf"),
    ]
    assert {e.run for e in found} == {run.run_id}
    assert {e.digest for e in found} == {found[0].digest}  # of the same file
    assert {e.stage for e in found} == {"train_mf"}
    assert found[0].data == used
    assert found[3].target == "wandb-registry-model/p"
    assert f"md5-{found[1].digest[:12]}" in run.artifacts["mf"]
    assert pending(tmp_path) == [found[0], found[3]]


def test_without_a_registry_nothing_is_linked(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("m")
    with tracker(tmp_path) as tracked:
        tracked.link_data(data_of("mf", "model", [tmp_path / "model"]))
    assert edges(tmp_path / LINEAGE) == []
    assert folders(tmp_path) == []


def test_each_edge_is_pending_once_until_it_is_sent(tmp_path: Path) -> None:
    again, other = replace(EDGE, time=EDGE.time + 1), replace(EDGE, run="r2")
    for edge in (EDGE, again, other, replace(EDGE, kind="logged")):
        append(tmp_path / LINEAGE, edge)
    assert [edge.run for edge in pending(tmp_path)] == ["r1", "r2"]
    append(tmp_path / SENT, EDGE)
    assert pending(tmp_path) == [other]


def test_processes_do_not_cut_into_each_others_lines(tmp_path: Path) -> None:
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from cofilter.tracking.lineage import append\n"
        "from tests.tracking.test_lineage import EDGE\n"
        f"for n in range({LINES}):\n"
        "    edge = replace(EDGE, run=sys.argv[2], files=[['f' * 5000, '', '', n]])\n"
        "    append(Path(sys.argv[1]), edge)\n"
    )
    path = tmp_path / "lineage.jsonl"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), f"r{n}"], cwd=ROOT)
        for n in range(PROCESSES)
    ]
    assert [process.wait() for process in running] == [0] * PROCESSES
    found = edges(path)
    for n in range(PROCESSES):
        assert [e.files[0][3] for e in found if e.run == f"r{n}"] == list(range(LINES))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    append(tmp_path / LINEAGE, EDGE)
    with (tmp_path / LINEAGE).open("a") as file:
        file.write('{"run": \n')
    with pytest.raises(DataError, match="line 2"):
        edges(tmp_path / LINEAGE)
