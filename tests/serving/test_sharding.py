"""Servers that each know a share of the users answer as one that knows them all."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cofilter.core.errors import CapabilityError, DataError
from cofilter.release.opened import open_model
from cofilter.release.shards import shard_of, write_shards
from tests.serving.service import Service

SHARDS = ["north", "south", "west"]


def test_shards_answer_as_one(service: Service, folders: dict[str, Path], tmp_path: Path) -> None:
    opened = open_model(folders["als"])
    write_shards(opened, tmp_path, SHARDS)
    users = opened.model.users_.ids.tolist()
    with ExitStack() as stack:
        servers = {
            shard: stack.enter_context(Service([tmp_path / shard], {"log_requests": False}))
            for shard in SHARDS
        }

        def same(path: str, body: dict[str, Any], shard: str) -> None:
            whole = service.ok(path, {**body, "model": "als"})
            assert servers[shard].ok(path, body) == {**whole, "model": shard}

        for user in users:
            shard = shard_of(user, SHARDS)
            same("/recommend", {"user": user, "k": 8}, shard)
            other = next(name for name in SHARDS if name != shard)
            assert servers[other].ask("/recommend", {"user": user}).status == 404
        for shard in SHARDS:  # who is no user yet may ask any of them
            same("/recommend", {"ratings": [{"item": 3, "rating": 5}]}, shard)
            same("/similar", {"item": 3}, shard)
        known = [servers[shard].ok("/models")["models"][0]["users"] for shard in SHARDS]
        assert sum(known) == len(users)
        assert min(known) > 0


def test_a_further_shard_moves_its_share_and_nobody_else() -> None:
    users = [*range(3_000), *(f"user-{number}" for number in range(3_000))]
    before = {user: shard_of(user, SHARDS) for user in users}
    after = {user: shard_of(user, [*SHARDS, "east"]) for user in users}
    moved = [user for user in users if before[user] != after[user]]
    assert {after[user] for user in moved} == {"east"}
    assert abs(len(moved) / len(users) - 1 / 4) < 0.02
    for shard in SHARDS:
        share = sum(one == shard for one in before.values()) / len(users)
        assert abs(share - 1 / 3) < 0.025


def test_the_hash_is_the_one_that_is_stated() -> None:
    """What a router in another language must give, whatever the order of the shards."""
    import hashlib

    def by_hand(user: str) -> str:
        digests = {s: hashlib.blake2b(f"{s}\0{user}".encode(), digest_size=8) for s in SHARDS}
        return max(SHARDS, key=lambda shard: digests[shard].hexdigest())

    assert [shard_of(number, SHARDS[::-1]) for number in range(50)] == [
        by_hand(str(number)) for number in range(50)
    ]
    assert [shard_of(str(number), SHARDS) for number in range(50)] == [
        by_hand(f'"{number}"') for number in range(50)
    ]


def test_what_is_not_cut_by_user_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    from cofilter import UserKNN
    from tests.serving.service import ratings, saved

    knn = open_model(saved(UserKNN().fit(ratings()), tmp_path / "knn"))
    with pytest.raises(CapabilityError, match="UserKNN compares each user with all others"):
        write_shards(knn, tmp_path / "out", SHARDS)
    with pytest.raises(DataError, match="each with its own name"):
        shard_of(1, ["a", "a"])
