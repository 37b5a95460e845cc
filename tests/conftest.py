from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser

from cofilter.tracking.going import ended
from tests.browser import CHROMIUM, launched
from tests.checkout import Checkout, ran

HERE = Path(__file__).parent
LONGEST = (
    *("test_pipeline.py", "search/test_search.py", "report/test_page.py"),
    *("benchmarks/test_pipeline.py", "tracking/test_outage.py", "search/test_study.py"),
)
STAGES = ["download", "filter", "split", "check", "backtest"]
STAGES += ["train_baseline@bias", "train_knn@item", "train_mf@biased-4-0"]
STAGES += ["blend", "leak", "reproduce", "evaluate"]

# A deadline would time the tests: the first call of a kernel compiles it.
settings.register_profile("cofilter", deadline=None)
settings.load_profile("cofilter")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest files first, since processes take whole files in this order.

    While the first process makes `finished`, the second one has the searches, which do without.
    """
    needs = {"checkout", "finished"}
    long = {item.path for item in items if needs & set(getattr(item, "fixturenames", ()))}

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(HERE).as_posix()
        return LONGEST.index(name) if name in LONGEST else len(LONGEST) + (item.path not in long)

    items.sort(key=place)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Checkout:
    """A checkout whose pipeline has run from nothing; tests that change anything take a copy.

    Its stages, and no others but by a test's wish, are tracked. They are children of the fork
    server, as all that `Checkout.run` starts; `make repro` with processes of its own runs before
    the tests in the gate.
    """
    mine = tmp_path_factory.mktemp("finished") / "checkout"
    if worker_id == "master":
        return _run_through(mine)
    # Processes of one session lie in one folder: the first runs the pipeline, each takes a copy.
    shared = tmp_path_factory.getbasetemp().parent / "finished" / "checkout"
    with FileLock(shared.with_name("lock"), timeout=600):
        first = Checkout(shared) if shared.exists() else _run_through(shared)
        return first.copy(mine, runs=True)


def _run_through(path: Path) -> Checkout:
    checkout = Checkout.make(path)
    command = (sys.executable, "-m", "stages.side_by_side")  # as `make repro` does
    run = checkout.run(*command, tracking="offline")
    assert run.returncode == 0, run.stdout + run.stderr
    assert sorted(ran(run)) == sorted(STAGES)
    assert ended(path)
    return checkout


@pytest.fixture
def checkout(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout to do anything with."""
    return finished.copy(tmp_path / "checkout")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file's tests."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with launched() as found:
        yield found
