"""Artifacts of a `wandb.Run`; wandb's own errors pass through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cofilter.tracking.data import Data

PLACE = 12  # of a digest's 32 characters, in an alias


def alias_of(digest: str) -> str:
    """The alias by which an artifact of this content is found again."""
    return f"md5-{digest[:PLACE]}"


def draft(data: Data) -> Any:
    """A `wandb.Artifact` that refers to the files of ``data``; nothing is read or copied."""
    import wandb
    from wandb.sdk.artifacts.artifact_manifest_entry import ArtifactManifestEntry
    from wandb.sdk.lib.paths import LogicalPath, URIStr

    artifact = wandb.Artifact(data.name, type=data.type)
    for name, uri, md5, size in data.entries:
        # What `add_reference` does after it has read the file, which the stage has done.
        entry = ArtifactManifestEntry(
            path=LogicalPath(name), ref=URIStr(uri), digest=md5, size=size
        )
        artifact.manifest.add_entry(entry)
    return artifact


def log_data(run: Any, data: Data) -> str:
    """Log an artifact by reference; gives its digest."""
    artifact = draft(data)
    digest = str(artifact.digest)
    run.log_artifact(artifact, aliases=["latest", alias_of(digest)])
    return digest


def log_files(
    run: Any, name: str, type: str, path: Path, aliases: Sequence[str], copy_below: float
) -> str:
    """Log a file or a folder; wandb keeps a copy of its own when it is under that many bytes.

    Gives the digest, the same as that of a reference to the same files.
    """
    import wandb

    artifact = wandb.Artifact(name, type=type)
    policy: Any = "mutable" if size(path) <= copy_below else "immutable"  # mutable: copied first
    if path.is_dir():
        artifact.add_dir(str(path), policy=policy)
    else:
        artifact.add_file(str(path), policy=policy)
    digest = str(artifact.digest)
    run.log_artifact(artifact, aliases=[*aliases, alias_of(digest)])
    return digest


def use(run: Any, data: Data) -> Any:
    """Note in an online run that it used these data; gives the artifact.

    An artifact of this content that some run has logged, else one that is made of the reference.
    """
    import wandb

    artifact = draft(data)
    try:
        return run.use_artifact(f"{data.name}:{alias_of(artifact.digest)}", type=data.type)
    except (wandb.errors.CommError, ValueError):  # there is none
        return use_draft(run, artifact)


def use_draft(run: Any, artifact: Any) -> Any:
    """Note in an online run that it used an artifact which no run has logged, and make it."""
    return run.use_artifact(artifact, aliases=["latest", alias_of(artifact.digest)])


def link(run: Any, data: Data, target: str) -> None:
    """Link a model that an earlier run has logged to a registry, in an online run."""
    run.link_artifact(use(run, data), target)


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if not file.is_dir())
