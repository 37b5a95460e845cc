"""Names of the points of each family, as dvc.yaml spells their folders."""

from __future__ import annotations

from typing import Any


def mf_point(kind: str, dim: int, seed: int) -> str:
    """Folder name of a factorization, for example ``biased-dim50-seed0``."""
    return f"{kind}-dim{dim}-seed{seed}"


def expected_points(cfg: dict[str, Any]) -> list[tuple[str, str]]:
    """(family, point) of every model that the configuration's sweep names."""
    points = cfg["points"]
    return [
        *(("baseline", kind) for kind in points["baseline"]),
        *(("knn", kind) for kind in points["knn"]),
        *(
            ("mf", mf_point(kind, dim, seed))
            for kind in points["mf"]["kind"]
            for dim in points["mf"]["dim"]
            for seed in cfg["seeds"]
        ),
    ]
