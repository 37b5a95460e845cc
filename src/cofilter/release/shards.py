"""A model cut by user, for several servers that each know their share of the users."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from cofilter.core.errors import DataError
from cofilter.core.io import write_json
from cofilter.release.manifest import write_manifest
from cofilter.release.opened import CARD, NAMES, Opened


def shard_of(user: int | str, shards: Sequence[str]) -> str:
    """The shard that knows a user: the one with the largest hash of shard and user.

    Rendezvous hashing (Thaler and Ravishankar 1998): of N + 1 shards a new one has about
    1 / (N + 1) of the users, each of whom moves from another shard to it, and nobody else moves.
    The hash is the first 8 bytes, as a big-endian number, of BLAKE2b (RFC 7693, digest of 8 bytes)
    over the shard's name in UTF-8, a zero byte, and the id as JSON, so that 7 and "7" are two
    users. It is the same on every machine and in every process. O(shards).

    Raises `DataError` when there is no shard, or two have one name.
    """
    if not shards or len(set(shards)) < len(shards):
        raise DataError(f"shards {list(shards)}: at least one is expected, each with its own name")
    key = b"\0" + json.dumps(user, ensure_ascii=False).encode()
    return max(shards, key=lambda shard: (_hash(shard.encode() + key), shard))


def write_shards(opened: Opened, folder: Path, shards: Sequence[str]) -> None:
    """Write ``folder/<shard>`` for each shard: a model, as processes map it, of its users alone.

    Raises
    ------
    CapabilityError
        The model cannot be cut by user; see `Recommender.of_users`.
    DataError
        A shard has no user, or its folder is there already.
    """
    users: dict[str, list[int | str]] = {shard: [] for shard in shards}
    for user in opened.model.users_.ids.tolist():
        users[shard_of(user, shards)].append(user)
    for shard, own in users.items():
        if not own:
            raise DataError(f"shard {shard}: no user falls to it")
        place = folder / shard
        if place.exists():
            raise DataError(f"{place} is there already; name another folder")
        opened.model.of_users(own).save(place, mapped=True)
        opened.catalogue.write(place / NAMES)
        write_json(place / CARD, opened.card)
        write_manifest(place)


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")
