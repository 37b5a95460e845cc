"""What code a trained model depends on: folders, the same for DVC and for checkpoints."""

from __future__ import annotations

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Packages that decide what any training gives. dvc.yaml names the same ones for each train stage.
SHARED = ("core", "metrics", "recommender", "scoring", "training")


def folders(family: str) -> tuple[Path, ...]:
    """Folders whose modules decide what a family's training gives."""
    return (*(PACKAGE / name for name in SHARED), PACKAGE / "models" / family)


def code_sha256(family: str, *more: Path) -> str:
    """Hash of the names and the content of every module in a family's `folders`.

    ``more`` are further folders of the package whose code decides what is asked for.
    """
    digest = hashlib.sha256()
    for folder in (*folders(family), *more):
        for source in sorted(folder.rglob("*.py")):
            content = hashlib.sha256(source.read_bytes()).hexdigest()
            digest.update(f"{source.relative_to(PACKAGE).as_posix()} {content}\n".encode())
    return digest.hexdigest()
