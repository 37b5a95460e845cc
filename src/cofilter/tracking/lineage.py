"""What runs used, logged and linked, kept until W&B's server can be told.

wandb 0.31 notes a used or linked artifact with a request to the server, by the id that the server
gave the artifact, and has no record of it in an offline run's file: `wandb.Run.use_artifact` raises
TypeError there ("Cannot use artifact when in offline mode.") and `wandb.Run.link_artifact`
NotImplementedError ("TODO: implement offline mode + sync"). So these edges go to a file of our own.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from cofilter.core.errors import DataError
from cofilter.core.paths import LOGS
from cofilter.tracking.data import Data, Entry

LINEAGE = LOGS / "lineage.jsonl"
SENT = LOGS / "lineage-sent.jsonl"  # those lines of the other file that the server knows

Kind = Literal["used", "logged", "linked"]


@dataclass(frozen=True)
class Edge:
    """One line: a run used or logged an artifact, or linked it to a registry.

    Attributes
    ----------
    digest:
        W&B's own, over the names and checksums of the artifact's files.
    target:
        Of a linked one: where in the registry.
    files:
        Of a used one: [name, uri, MD5, bytes], of which the artifact can be made.
    time:
        Seconds since 1970, UTC.
    """

    run: str
    project: str
    entity: str | None
    stage: str
    kind: Kind
    artifact: str
    type: str
    digest: str
    target: str | None = None
    files: list[list[Any]] = field(default_factory=list)
    time: float = field(default_factory=lambda: round(time.time(), 3))

    @property
    def key(self) -> tuple[str, ...]:
        """What tells edges apart: a continued run says its own again."""
        return self.run, self.kind, self.artifact, self.digest, self.target or ""

    @property
    def data(self) -> Data:
        """What was used."""
        return Data(self.artifact, self.type, tuple(Entry(*each) for each in self.files))


def append(path: Path, edge: Edge) -> None:
    """Add a line. Processes that append at the same time do not cut into each other's lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(edge), ensure_ascii=False).encode() + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        written = os.write(handle, line)  # one call, which the system does not divide
    finally:
        os.close(handle)
    if written != len(line):
        raise OSError(f"{path}: the disk is full")


def edges(path: Path) -> list[Edge]:
    """All lines, oldest first; none when there is no file."""
    if not path.is_file():
        return []
    return list(_read(path, path.read_text(encoding="utf-8").splitlines()))


def pending(root: Path) -> list[Edge]:
    """Used and linked artifacts of which the server was not told, each once, oldest first."""
    sent = {edge.key for edge in edges(root / SENT)}
    found = {edge.key: edge for edge in edges(root / LINEAGE) if edge.kind != "logged"}
    return [edge for key, edge in found.items() if key not in sent]


def _read(path: Path, lines: Iterable[str]) -> Iterator[Edge]:
    for number, line in enumerate(lines, 1):
        try:
            yield Edge(**json.loads(line))
        except (json.JSONDecodeError, TypeError) as error:
            raise DataError(f"{path}, line {number}: not readable ({error})") from None
