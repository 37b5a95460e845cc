"""Reads the file that wandb writes for each run: protocol buffers in LevelDB's log format."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wandb
from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

MAGIC = b":W&B"
HEADER_BYTES = 7  # of the file and of each chunk: checksum (4), length (2), kind (1)
BLOCK_BYTES = 32768
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass
class Run:
    """What one folder of a run holds."""

    group: str = ""
    job_type: str = ""
    name: str = ""
    run_id: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=dict)  # metric → metric it is drawn over
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, list[str]] = field(default_factory=dict)  # name → aliases
    files: dict[str, list[str]] = field(default_factory=dict)  # artifact → its files
    references: dict[str, dict[str, str]] = field(default_factory=dict)  # artifact → name → URI
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)  # W&B's own, by name
    exit_code: int | None = None

    def numbers(self, *names: str) -> list[tuple[Any, ...]]:
        """The values of ``names`` in each row that has them all."""
        return [
            tuple(row[name] for name in names)
            for row in self.rows
            if all(name in row for name in names)
        ]


def read_run(folder: Path) -> Run:
    """Read the folder of a finished run back."""
    wandb.teardown()  # the service writes the last of the file when it ends
    (file,) = folder.glob("run-*.wandb")
    run = Run()
    for record in records(file.read_bytes()):
        _take(run, record)
    return run


def records(content: bytes) -> list[Record]:
    """All records of a .wandb file."""
    assert content.startswith(MAGIC)
    found, parts, at = [], b"", HEADER_BYTES
    while at + HEADER_BYTES <= len(content):
        if BLOCK_BYTES - at % BLOCK_BYTES < HEADER_BYTES:  # padding at the end of a block
            at += BLOCK_BYTES - at % BLOCK_BYTES
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        if kind == 0:
            break
        at += HEADER_BYTES
        parts += content[at : at + length]
        at += length
        if kind in (FULL, LAST):
            found.append(Record.FromString(parts))
            parts = b""
    return found


def _take(run: Run, record: Record) -> None:
    kind = record.WhichOneof("record_type")
    if kind == "run":
        run.group, run.job_type = record.run.run_group, record.run.job_type
        run.name, run.run_id = record.run.display_name, record.run.run_id
        run.config |= _values(record.run.config.update)
    elif kind == "history":
        run.rows.append(_values(record.history.item))
    elif kind == "metric":
        run.axes[record.metric.name] = record.metric.step_metric
    elif kind == "summary":
        run.summary |= _values(record.summary.update)
    elif kind == "artifact":
        name = record.artifact.name
        run.artifacts[name] = list(record.artifact.aliases)
        contents = record.artifact.manifest.contents
        run.files[name] = [entry.local_path for entry in contents]
        run.references[name] = {entry.path: entry.ref for entry in contents if entry.ref}
    elif kind == "config":
        for item in record.config.update:
            if list(item.nested_key[:2]) == ["_wandb", "visualize"]:
                run.charts[item.nested_key[2]] = json.loads(item.value_json)
    elif kind == "exit":
        run.exit_code = record.exit.exit_code


def _values(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}
