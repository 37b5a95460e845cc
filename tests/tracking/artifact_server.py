"""The W&B server of these tests with artifacts: kept by digest, used by runs, linked to registries.

It answers what wandb 0.31 asks when offline runs are sent, artifacts looked up, used and linked. A
real server may refuse more.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.tracking.wandb_server import WandbServer, serve

PROJECT = {"id": "P", "internalId": "P", "name": "p", "entity": {"id": "E", "name": "e"}}
TIME = "2026-01-01T00:00:00"


@dataclass
class Stored:
    """One version of an artifact."""

    id: str
    name: str
    type: str
    digest: str
    run: str
    aliases: set[str] = field(default_factory=set)


class ArtifactServer(WandbServer):
    """Answers also what artifacts need.

    Attributes
    ----------
    artifacts:
        In the order in which they came; one for each name and digest.
    runs:
        Ids of the runs that were sent, in order.
    used, linked:
        (run, artifact, digest) and (collection, artifact, digest), in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.artifacts: list[Stored] = []
        self.runs: list[str] = []
        self.used: list[tuple[str, str, str]] = []
        self.linked: list[tuple[str, str, str]] = []
        self.numbers = itertools.count()

    def query(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data that answers a GraphQL operation."""
        if operation == "UpsertBucket":
            self.runs.append(variables["name"])
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
        answer = getattr(self, f"on_{snake}", None)
        return super().query(operation, variables) if answer is None else answer(variables)

    def on_viewer(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Who is logged in."""
        teams = {"edges": []}
        return {
            "viewer": {"id": "U", "entity": "e", "username": "u", "flags": "{}", "teams": teams}
        }

    on_get_default_entity = on_viewer

    def on_run(self, variables: dict[str, Any]) -> dict[str, Any]:
        """A run that was sent."""
        id = variables["name"]
        if id not in self.runs:
            return {"project": {"run": None}}
        texts = dict.fromkeys(("config", "summaryMetrics", "systemMetrics"), "{}")
        run = {"id": f"R{id}", "name": id, "displayName": id, "tags": [], "state": "finished"}
        more = {"projectId": "1", "historyLineCount": 0, "historyKeys": None, "sweepName": None}
        user = {"user": {"name": "u", "username": "u"}, "createdAt": TIME, "heartbeatAt": TIME}
        return {"project": {"run": run | texts | more | user}}

    def on_create_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Keep an artifact, or find the one of that digest again."""
        wanted = variables["input"]
        name = wanted["artifactCollectionName"]
        same = [
            each for each in self.artifacts if (each.name, each.digest) == (name, wanted["digest"])
        ]
        known = bool(same)
        if not known:
            self.artifacts.append(
                Stored(
                    f"A{next(self.numbers)}",
                    name,
                    wanted["artifactTypeName"],
                    wanted["digest"],
                    wanted["runName"],
                )
            )
        found = (same or self.artifacts)[-1]
        found.aliases |= {each["alias"] for each in wanted["aliases"] or []}
        state = "COMMITTED" if known else "PENDING"
        sequence = {"id": "S", "latestArtifact": None}
        return {
            "createArtifact": {
                "artifact": {"id": found.id, "state": state, "artifactSequence": sequence}
            }
        }

    def on_create_artifact_manifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        """A place to upload a manifest to."""
        return {"createArtifactManifest": {"artifactManifest": self._manifest()}}

    def on_create_artifact_files(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Places to upload an artifact's files to."""
        nodes = [
            {
                "storagePath": None,
                "uploadUrl": f"{self.url}/upload",
                "uploadHeaders": [],
                "uploadMultipartUrls": None,
                "artifact": {"id": each["artifactID"]},
            }
            for each in variables["input"]["artifactFiles"]
        ]
        return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}

    def on_commit_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The artifact is whole."""
        found = self._of_id(variables["artifactID"])
        return {"commitArtifact": {"artifact": {"id": found.id, "digest": found.digest}}}

    def on_use_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        """A run uses an artifact."""
        told = variables.get("input", variables)
        found = self._of_id(told["artifactID"])
        self.used.append((told["runName"], found.name, found.digest))
        return {"useArtifact": {"artifact": {"id": found.id, "digest": found.digest}}}

    def on_artifact_membership_by_name(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Look an artifact up by its name and alias."""
        name, _, alias = variables["name"].partition(":")
        found = [e for e in self.artifacts if e.name == name and alias in e.aliases]
        return {
            "project": {
                "artifactCollectionMembership": self._membership(found[-1], PROJECT)
                if found
                else None
            }
        }

    def on_artifact_type(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The type of an artifact by its name; only a new one is asked for."""
        return {"project": {"artifact": None}}

    def on_artifact_by_id(self, variables: dict[str, Any]) -> dict[str, Any]:
        """An artifact that has just been made."""
        return {"artifact": self._artifact(self._of_id(variables["id"]))}

    def on_link_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Link an artifact to a collection."""
        told = variables["input"]
        found = self._of_id(told["artifactID"])
        collection = f"{told['projectName']}/{told['artifactPortfolioName']}"
        self.linked.append((collection, found.name, found.digest))
        project = PROJECT | {"name": told["projectName"]}
        return {
            "result": {"versionIndex": 0, "artifactMembership": self._membership(found, project)}
        }

    def on_fetch_org_info_from_entity(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The organization of an entity."""
        return {
            "entity": {"organization": {"name": "o", "orgEntity": {"name": "org"}}, "user": None}
        }

    def _manifest(self) -> dict[str, Any]:
        file = {"id": "F", "uploadUrl": f"{self.url}/upload", "uploadHeaders": []}
        return {"id": f"M{next(self.numbers)}", "file": file}

    def _of_id(self, id: str) -> Stored:
        (found,) = [each for each in self.artifacts if each.id == id]
        return found

    def _membership(self, stored: Stored, project: dict[str, Any]) -> dict[str, Any]:
        aliases = [
            {"__typename": "ArtifactAlias", "id": alias, "alias": alias} for alias in stored.aliases
        ]
        return {
            "__typename": "ArtifactCollectionMembership",
            "id": f"C{stored.id}",
            "versionIndex": 0,
            "createdAt": TIME,
            "aliases": aliases,
            "artifactCollection": self._collection(stored, project),
            "artifact": self._artifact(stored),
        }

    def _artifact(self, stored: Stored) -> dict[str, Any]:
        return {
            "__typename": "Artifact",
            "id": stored.id,
            "artifactSequence": self._collection(stored, PROJECT) | {"id": "S"},
            "versionIndex": 0,
            "artifactType": {"name": stored.type},
            "description": None,
            "metadata": "{}",
            "ttlDurationSeconds": -2,
            "ttlIsInherited": True,
            "tags": [],
            "historyStep": None,
            "state": "COMMITTED",
            "size": 1,
            "digest": stored.digest,
            "commitHash": None,
            "fileCount": 1,
            "createdAt": TIME,
            "updatedAt": None,
        }

    def _collection(self, stored: Stored, project: dict[str, Any]) -> dict[str, Any]:
        return {"__typename": "ArtifactSequence", "name": stored.name, "project": project}


@contextmanager
def serving_artifacts() -> Iterator[ArtifactServer]:
    """Run a server while the block runs."""
    with serve(ArtifactServer()) as server:
        yield server
