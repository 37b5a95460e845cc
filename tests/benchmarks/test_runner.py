from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dataset import Ratings, save
from benchmarks.judging import faster
from benchmarks.row import OURS, Row, Side, Size
from benchmarks.runner import SideFailedError, run_row
from benchmarks.table import write_table

DATA: dict[Size, str] = {"full": "large", "quick": "small", "smoke": "small"}


def part(rows: int) -> Ratings:
    index = np.arange(rows, dtype=np.int32)
    return Ratings(index, index, np.ones(rows, np.float32))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, rows in (("large", 40), ("small", 4)):
        save(tmp_path / name, [(part(rows), part(2))], {"source": name})
    return tmp_path


def toy(name: str, seconds: float, **rest: int) -> Side:
    options = {"seconds": seconds}
    return Side(name, "tests.benchmarks.toy:steady", DATA, options, {"rmse": 0.9}, **rest)


def row(*sides: Side, runs: int = 2) -> Row:
    return Row("toy", sides, faster("a toy", "peer", 0.5), runs=runs)


def test_sides_take_turns_and_the_record_holds_every_process(data: Path) -> None:
    said: list[str] = []
    sides = (toy(OURS, 1.0), toy("peer", 4.0, threads=1), toy("other", 2.0, runs=1))
    record = run_row(row(*sides), "full", data / "results", lambda name: data / name, said.append)
    assert [text.split(":")[0].split(". ")[1] for text in said[:5]] == [
        "cofilter", "peer", "other", "cofilter", "peer",
    ]  # fmt: skip
    assert json.loads((data / "results/toy.json").read_text()) == record
    line = record["lines"][0]
    assert line["ratio"] == 0.25
    assert line["reached"]
    ours, peer = record["sides"][OURS], record["sides"]["peer"]
    assert [process["facts"]["rows"] for process in ours["processes"]] == [40, 40]
    assert [process["facts"]["run"] for process in ours["processes"]] == [0, 1]
    assert peer["processes"][0]["facts"]["threads"] == 1
    assert 0 < ours["peak_gb"] < 2
    assert ours["versions"]["numpy"] == np.__version__


def test_smoke_is_one_round_on_the_smoke_data(data: Path) -> None:
    sides = (toy(OURS, 1.0), toy("peer", 1.0))
    record = run_row(
        row(*sides), "smoke", data / "results", lambda name: data / name, lambda _: None
    )
    process = record["sides"][OURS]["processes"]
    assert [each["facts"]["rows"] for each in process] == [4]
    assert process[0]["facts"]["rmse"] == 0.9
    assert not record["lines"][0]["reached"]


def test_a_failing_side_is_named_and_leaves_no_result(data: Path) -> None:
    broken = Side("peer", "tests.benchmarks.toy:broken", DATA)
    with pytest.raises(SideFailedError, match=r"peer: .*nothing works in run 0"):
        run_row(row(broken), "smoke", data / "results", lambda name: data / name, lambda _: None)
    assert not list((data / "results").iterdir())


def test_the_table_shows_every_line_and_what_is_missing(data: Path) -> None:
    results = data / "benchmarks/results/full"
    sides = (toy(OURS, 1.0), toy("peer", 4.0))
    run_row(row(*sides), "full", results, lambda name: data / name, lambda _: None)
    write_table(data / "benchmarks.md", data, ["toy", "later"])
    page = (data / "benchmarks.md").read_text()
    assert "| a toy | ≤ 0.5 × peer | 1 s | 4 s | 0.25 | yes |" in page
    assert "make bench ARGS='--again --size full toy'" in page
    assert "Not run yet: later." in page
