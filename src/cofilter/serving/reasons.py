"""Reasons of recommendations, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cofilter.recommender.inputs import Users
from cofilter.release.opened import Opened
from cofilter.serving.problems import refused

REASONS = 3  # of each item of a list


def reasons(
    opened: Opened, user: Users, items: Sequence[int | str], n: int = REASONS
) -> list[list[dict[str, Any]]]:
    """For each item those of one person's own ratings that speak most for it, and their shares."""
    with refused("item"):
        because, shares = opened.model.explain(user, list(items), n)
    return [
        [
            opened.catalogue.described(item) | {"share": share}
            for item, share in zip(own.tolist(), carried.tolist(), strict=True)
            if share  # padding has none
        ]
        for own, carried in zip(because, shares, strict=True)
    ]
