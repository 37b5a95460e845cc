"""The service as a process of its own, over small models, and how tests talk to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofilter import BPR, EASE, BiasBaseline, GlobalMean, ImplicitALS
from cofilter.recommender.base import Recommender
from cofilter.release.catalogue import Catalogue
from cofilter.release.manifest import write_manifest
from cofilter.release.opened import NAMES

SRC = Path(__file__).parents[2] / "src"
START = """
import json, sys
from pathlib import Path
from cofilter.serving.run import serve
given = json.loads(sys.argv[1])
serve([Path(folder) for folder in given.pop("folders")], **given)
"""
WAIT = 60  # seconds for what takes one
TITLES = {0: '<script>alert("1")</script>', 1: '\x1b[31mred\x1b[0m, "quoted"; =1+1', 2: "Zoë 東京"}


def ratings(seed: int = 0, n_users: int = 60, n_items: int = 40) -> pd.DataFrame:
    """A table of some thousand ratings from 1 to 5, whole numbers as ids."""
    rng = np.random.default_rng(seed)
    taste, kind = rng.normal(size=(n_users, 2)), rng.normal(size=(n_items, 2))
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.4)
    value = np.clip(np.rint(3 + (taste[user] * kind[item]).sum(axis=1)), 1, 5)
    return pd.DataFrame({"user_id": user + 100, "item_id": item, "rating": value})


def catalogue(items: Any) -> Catalogue:
    """Titles, three of them dangerous or foreign, and genres."""
    ids = items.ids.tolist()
    table = pd.DataFrame(
        {
            "item_id": ids,
            "title": [TITLES.get(item, f"Film {item} (19{item:02d})") for item in ids],
            "genres": ["Comedy|Drama" if item % 2 else "" for item in ids],
        }
    )
    return Catalogue.of(items, table)


def saved(model: Recommender, folder: Path) -> Path:
    """A fitted model's folder, as processes map it, with titles."""
    model.save(folder, mapped=True)
    catalogue(model.items_).write(folder / NAMES)
    write_manifest(folder)
    return folder


def models() -> dict[str, Recommender]:
    """Fitted models that can do different things, the default first."""
    table = ratings()
    scale = (1.0, 5.0)
    return {
        "ease": EASE(kind="rating", scale=scale).fit(table),
        "als": ImplicitALS(dim=4, epochs=3, scale=scale).fit(table),
        "counts": ImplicitALS(dim=4, epochs=3).fit(table.assign(rating=table["rating"] ** 2)),
        "bias": BiasBaseline(scale=scale).fit(table),
        "bpr": BPR(dim=4, epochs=3, scale=scale).fit(table),
        "mean": GlobalMean(scale=scale).fit(table),
    }


@dataclass
class Service:
    """A running service; ``url`` and ``process`` are known once it is ready."""

    folders: list[Path]
    options: Mapping[str, Any] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Service:
        given = {"folders": [str(folder) for folder in self.folders], "port": 0, **self.options}
        environment = os.environ | {"PYTHONPATH": str(SRC)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, json.dumps(given)],
            stderr=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        ready = self.event("ready")
        self.port = int(ready["url"].rpartition(":")[2])
        self.url = ready["url"]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill() if self.stop() is None else None
        self.process.wait(WAIT)
        self._reader.join(WAIT)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"event": "not json", "line": line})

    def event(self, name: str, after: int = 0) -> dict[str, Any]:
        """The first line of the log with this event, waited for; ``after``: lines passed over."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.log[after:] if line["event"] == name), None)

        return until(lambda: found() or (self.process.poll() is not None and self.log)) and (
            found() or _missing(name, self.log)
        )

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """Ask for the end; the exit status, None when it did not come."""
        self.process.send_signal(number)
        try:
            return self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            return None

    def ask(self, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own; GET without a body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            return on(connection, path, body, **headers)
        finally:
            connection.close()

    def ok(self, path: str, body: Any = None) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.ask(path, body)
        assert answer.status == 200, answer
        return answer.json


@dataclass(frozen=True)
class Answer:
    """Status, headers with small letters, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        return self.json["error"]


def on(connection: http.client.HTTPConnection, path: str, body: Any, **headers: str) -> Answer:
    """One request on a given connection; a body that is not bytes is sent as JSON."""
    if body is None:
        connection.request("GET", path, headers=headers)
    else:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        connection.request("POST", path, sent, given)
    answer = connection.getresponse()
    names = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, names, answer.read())


def until(condition: Callable[[], Any]) -> Any:
    """What a condition gives once it gives something."""
    end = time.monotonic() + WAIT
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return found


def _missing(name: str, log: list[dict[str, Any]]) -> dict[str, Any]:
    raise AssertionError(f"{name} is not in the log: {log}")
