"""The service under load: ``python -m benchmarks.serving`` measures and prints its table.

A model of 138,493 users and 26,744 items (those of MovieLens 20M) with made-up factors and 20
million made-up ratings, popularity falling as 1 / rank: what is in a factor changes no time. Beside
it implicit's `recommend`, with the same factors and histories, behind a FastAPI shell of the same
server libraries (``--peer`` names a Python that has implicit, FastAPI and uvicorn).
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from cofilter import ImplicitALS
from cofilter.core.matrix import IdMap
from cofilter.recommender.base import Recommender
from cofilter.recommender.bias import Biases
from cofilter.recommender.histories import Histories
from cofilter.recommender.kernels.threads import set_threads
from cofilter.recommender.sparse import ItemLists
from cofilter.release.catalogue import Catalogue
from cofilter.release.opened import NAMES, open_model
from cofilter.serving.lists import ranked
from cofilter.serving.schema import RecommendRequest

N_USERS, N_ITEMS, DIM, A_USER = 138_493, 26_744, 64, 144
HISTORY = 20
SERVE = "import json, sys; from pathlib import Path; from cofilter.serving.run import serve; "
SERVE += "serve([Path(sys.argv[1])], port=0, workers=int(sys.argv[2]), log_requests=False)"


def histories(rng: np.random.Generator, n_users: int, n_items: int) -> Histories:
    """`A_USER` draws of items a user, less what comes twice, with ratings from 1 to 5."""
    chance = 1 / np.arange(1, n_items + 1)
    drawn = rng.choice(n_items, (n_users, A_USER), p=chance / chance.sum()).astype(np.int32)
    drawn.sort(axis=1)
    first = np.ones(drawn.shape, bool)
    first[:, 1:] = drawn[:, 1:] != drawn[:, :-1]
    start = np.r_[0, np.cumsum(first.sum(axis=1))].astype(np.int64)
    item = drawn[first]
    code = rng.integers(0, 5, len(item)).astype(np.uint8)
    return Histories(ItemLists(start, item), code, np.arange(1.0, 6, dtype=np.float32))


def made(folder: Path, n_users: int, n_items: int) -> Path:
    """A model's folder, mapped."""
    rng = np.random.default_rng(0)
    model = ImplicitALS(
        dim=DIM, scale=(1.0, 5.0), alpha=1.0, regularization=1.0, confidence="rating"
    )
    model.users_, model.items_ = IdMap(np.arange(n_users)), IdMap(np.arange(n_items))
    model.histories_ = histories(rng, n_users, n_items)
    model.popularity_ = np.bincount(model.histories_.seen.item, minlength=n_items)
    model._biases = Biases(3.5, np.zeros(n_users), np.zeros(n_items), 15.0)
    model.scale_, model.data_sha256_ = (1.0, 5.0), "made up"
    model._learning = model._learning_scale()
    sides = ((n, DIM + 1) for n in (n_users, n_items))
    user, items = (rng.normal(0, 0.1, size).astype(np.float32) for size in sides)
    user[:, -1] = items[:, -1] = 0
    model._set({"user": user, "item": items})
    model.save(folder, mapped=True)
    titles = [f"Item number {place}, of some length" for place in range(n_items)]
    Catalogue(model.items_, titles, ["Comedy|Drama"] * n_items).write(folder / NAMES)
    return folder


def person(model: Recommender) -> RecommendRequest:
    """Somebody with ratings of items from all over the model's."""
    items = model.items_.ids[:: len(model.items_) // HISTORY][:HISTORY].tolist()
    ratings = [{"item": item, "rating": 2.0 + place % 4} for place, item in enumerate(items)]
    return RecommendRequest.model_validate({"ratings": ratings})


def timed(call: Callable[[Any], object], each: list[Any]) -> tuple[float, float]:
    """p50 and p99 of a call, in milliseconds, after some that do not count."""
    for one in each[:20]:
        call(one)
    seconds = []
    for one in each:
        began = time.perf_counter()
        call(one)
        seconds.append(time.perf_counter() - began)
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return round(float(p50), 3), round(float(p99), 3)


def in_process(folder: Path) -> dict[str, tuple[float, float]]:
    """Top 10 of a known user, and of somebody with 20 ratings."""
    set_threads(1)
    opened = open_model(folder)
    opened.model.prepare()
    users = np.random.default_rng(1).integers(0, N_USERS, 2_000).tolist()
    newcomer = person(opened.model)
    return {
        "recommend": timed(lambda user: opened.model.recommend(user, 10), users),
        "fold in 20 ratings": timed(lambda _: ranked(opened, [newcomer], None), users[:500]),
    }


@contextmanager
def served(folder: Path, workers: int) -> Iterator[tuple[int, int, float]]:
    """The service; gives its port, its process, and the seconds until it was ready."""
    began = time.perf_counter()
    command = [sys.executable, "-c", SERVE, str(folder), str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        ready = json.loads(process.stderr.readline())
        seconds = time.perf_counter() - began
        yield int(ready["url"].rpartition(":")[2]), process.pid, seconds
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def peer(python: Path, folder: Path, workers: int) -> Iterator[int]:
    """implicit behind FastAPI."""
    port = 8899
    command = [str(python), "-m", "benchmarks.peers.implicit_served", str(folder), str(port)]
    process = subprocess.Popen([*command, str(workers)], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(10)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def under_load(port: int, n: int, users: int = N_USERS) -> dict[str, float]:
    """What `benchmarks.load` measures, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), f"--users={users}"]
    answer = subprocess.run([*command, f"--requests={n}"], stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)


def proportional(process: int) -> float:
    """Proportional set size, in MB, of a process and its children: shared pages count once."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    total = 0
    for one in (str(process), *children):
        lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1e3


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--peer", type=Path, help="a Python with implicit and FastAPI")
    given = parser.parse_args()
    print(json.dumps(machine()))
    with tempfile.TemporaryDirectory() as place:
        folder = made(Path(place) / "made", N_USERS, N_ITEMS)
        tiny = made(Path(place) / "tiny", 50, 50)
        arrays = sum(path.stat().st_size for path in (folder / "arrays").iterdir()) / 1e6
        print(f"arrays {arrays:.0f} MB")
        for name, (p50, p99) in in_process(folder).items():
            print(f"in process, {name}: p50 {p50} ms, p99 {p99} ms")
        for workers in (1, 2, 4):
            with served(tiny, workers) as (port, process, _):
                under_load(port, 2_000, 50)
                empty = proportional(process)
            with served(folder, workers) as (port, process, seconds):
                found = under_load(port, given.requests if workers == 2 else 20_000)
                memory = proportional(process)
                print(
                    f"{workers} workers: ready {seconds:.2f} s, {memory:.0f} MB, of which", end=" "
                )
                print(f"{empty:.0f} MB without a model to speak of; {found}", flush=True)
        if given.peer:
            with peer(given.peer, folder, 2) as port:
                print(f"implicit behind FastAPI, 2 workers: {under_load(port, given.requests)}")


if __name__ == "__main__":
    main()
