"""Ratings as both sides of a row read them: plain arrays in a folder, indices dense."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

META = "meta.json"


class Ratings(NamedTuple):
    """int32[n] user and item indices, float32[n] ratings."""

    user: np.ndarray
    item: np.ndarray
    rating: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """A folder of train and test parts, one for each fold.

    Every index below ``n_users`` and ``n_items`` occurs in train, so both sides have the same
    users and items; test rows of others are left out when the folder is made.
    """

    folder: Path

    def part(self, name: str, fold: int = 0) -> Ratings:
        """``train`` or ``test`` of a fold; folds beyond the last begin again."""
        meta = self.meta(fold)
        at = self.folder / str(fold % meta["folds"])
        return Ratings(*(np.load(at / f"{name}_{column}.npy") for column in Ratings._fields))

    def train(self, fold: int = 0) -> Ratings:
        """The part to learn from."""
        return self.part("train", fold)

    def test(self, fold: int = 0) -> Ratings:
        """The part to be judged on."""
        return self.part("test", fold)

    def meta(self, fold: int = 0) -> dict[str, Any]:
        """Facts: folds, users, items, scale of this fold."""
        facts = json.loads((self.folder / META).read_text())
        return facts | facts["parts"][fold % facts["folds"]]

    def shape(self, fold: int = 0) -> tuple[int, int]:
        """(users, items)."""
        meta = self.meta(fold)
        return meta["users"], meta["items"]


def save(folder: Path, parts: list[tuple[Ratings, Ratings]], facts: dict[str, Any]) -> None:
    """Write (train, test) of each fold; ``meta.json`` comes last and says that all is there."""
    described = []
    for fold, pair in enumerate(parts):
        at = folder / str(fold)
        at.mkdir(parents=True, exist_ok=True)
        for name, part in zip(("train", "test"), pair, strict=True):
            for column, values in part._asdict().items():
                np.save(at / f"{name}_{column}.npy", values)
        train, test = pair
        described.append(
            {
                "users": int(train.user.max()) + 1,
                "items": int(train.item.max()) + 1,
                "train_rows": len(train.user),
                "test_rows": len(test.user),
            }
        )
    meta = facts | {"folds": len(parts), "parts": described}
    (folder / META).write_text(json.dumps(meta, indent=2) + "\n")


def dense(train: Ratings, test: Ratings) -> tuple[Ratings, Ratings]:
    """Indices of users and items as they occur in train, ascending; other test rows are dropped."""
    users, user = np.unique(train.user, return_inverse=True)
    items, item = np.unique(train.item, return_inverse=True)
    known = np.isin(test.user, users) & np.isin(test.item, items)
    kept = Ratings(*(column[known] for column in test))
    as_train = Ratings(user.astype(np.int32), item.astype(np.int32), _f4(train.rating))
    as_test = Ratings(
        np.searchsorted(users, kept.user).astype(np.int32),
        np.searchsorted(items, kept.item).astype(np.int32),
        _f4(kept.rating),
    )
    return as_train, as_test


def _f4(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
