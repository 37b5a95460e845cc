"""Offline runs sent to a server, then what they used and linked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import wandb

from cofilter.core.errors import TrackingError
from cofilter.tracking.artifacts import alias_of
from cofilter.tracking.data import data_of
from cofilter.tracking.going import hold
from cofilter.tracking.lineage import LINEAGE, edges, pending
from cofilter.tracking.sync import sync
from tests.tracking.artifact_server import ArtifactServer, serving_artifacts
from tests.tracking.runs import config, tracker
from tests.tracking.test_outage import log_in


def pipeline(root: Path, **changed: str) -> None:
    """A stage that makes data of a source, and one that trains on them and ships."""
    files = [root / name for name in ("source.csv", "split.csv", "model.npz")]
    for file in files:
        file.write_text(file.name)
    source, split = (data_of(f.stem, "dataset", [f]) for f in files[:2])
    with tracker(root, **changed) as tracked:
        tracked.use_data(source)
        tracked.log_data(split)
    with tracker(root, registry="model", **changed) as tracked:
        tracked.use_data(split)
        tracked.log_artifact("mf", "model", files[2])
        tracked.link_data(data_of("mf", "model", [files[2]]))
    wandb.teardown()  # else it remembers the server of these runs


def told(server: ArtifactServer) -> list[tuple[str, ...]]:
    return [*server.used, *server.linked]


def test_not_logged_in_says_so_in_one_line_and_keeps_everything(tmp_path: Path) -> None:
    pipeline(tmp_path)
    before = pending(tmp_path)
    said = sync(config(), tmp_path)
    assert "wandb login" in said
    assert "\n" not in said
    assert pending(tmp_path) == before != []


def test_runs_and_lineage_are_sent_once(tmp_path: Path) -> None:
    pipeline(tmp_path)
    lines = edges(tmp_path / LINEAGE)
    digest = {edge.artifact: edge.digest for edge in lines}
    first, second = dict.fromkeys(edge.run for edge in lines)
    os.environ["WANDB_MODE"] = "offline"  # of the stages; who calls sync wants it sent
    with serving_artifacts() as server:
        log_in(server.url)
        assert sync(config(), tmp_path) == "sent: 2 runs, 3 uses and links of artifacts"
        assert {first, second} == set(server.runs)
        made = {each.name: each for each in server.artifacts}
        assert (made["split"].run, made["mf"].run) == (first, second)
        assert made["source"].run is None  # not made by the run that used it
        assert alias_of(digest["source"]) in made["source"].aliases
        assert told(server) == [
            (first, "source", digest["source"]),
            (second, "split", digest["split"]),
            ("wandb-registry-model/p", "mf", digest["mf"]),
        ]
        runs = len(server.runs)
        assert sync(config(), tmp_path) == "sent: 0 runs, 0 uses and links of artifacts"
        assert (len(server.runs), len(told(server))) == (runs, 3)


def test_what_fails_is_said_and_sent_the_next_time(tmp_path: Path) -> None:
    pipeline(tmp_path)
    with serving_artifacts() as server:
        log_in(server.url)
        server.refused = {"LinkArtifact"}
        with pytest.raises(TrackingError, match=r"1 of 3 uses and links .* mf linked by train_mf"):
            sync(config(), tmp_path)
        server.refused = set()
        assert sync(config(), tmp_path) == "sent: 0 runs, 1 uses and links of artifacts"
        assert len(told(server)) == 3


def test_runs_that_cannot_be_sent_stop_it(tmp_path: Path) -> None:
    pipeline(tmp_path)
    with serving_artifacts() as server:
        log_in(server.url)
        server.refused = {"UpsertBucket"}
        with pytest.raises(TrackingError, match="2 of 2 runs were not sent"):
            sync(config(), tmp_path)
        assert told(server) == []


def test_a_run_that_is_being_written_is_not_sent(tmp_path: Path) -> None:
    (number,) = hold(tmp_path)
    with pytest.raises(TrackingError, match="still writes"):
        sync(config(), tmp_path)
    os.close(number)


def test_an_online_run_tells_the_server_at_once(tmp_path: Path) -> None:
    with serving_artifacts() as server:
        log_in(server.url)
        pipeline(tmp_path, mode="online")
        used = [name for _, name, _ in server.used]
        assert used == ["source", "split", "mf"]  # what is linked is looked up by use
        assert [each[:2] for each in server.linked] == [("wandb-registry-model/p", "mf")]
        assert edges(tmp_path / LINEAGE) == []


def test_what_an_online_run_cannot_tell_is_kept(tmp_path: Path) -> None:
    with serving_artifacts() as server:
        log_in(server.url)
        server.refused = {"UseArtifact"}
        pipeline(tmp_path, mode="online")
    assert [edge.artifact for edge in pending(tmp_path)] == ["source", "split", "mf"]
