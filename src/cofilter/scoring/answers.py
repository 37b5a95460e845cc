"""What a model answers on validation after its fit on train: what a blend may learn from."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cofilter.core.errors import DataError
from cofilter.core.io import arrays_sha256, write_bytes
from cofilter.metrics.ranking import sampled
from cofilter.recommender.base import Recommender
from cofilter.scoring.target import Target

ANSWERS = "validation.npz"
LIST_LENGTH = 100  # of a kept list; a fusion's η + 100 leaves later ranks next to no say
MOST_USERS = 5_000  # whose lists are kept: 2 MB a model, and enough to tell two blends apart


@dataclass(frozen=True)
class Answers:
    """Validation answers of a model that has seen train only.

    The shipped model cannot give them any more once it is fitted again on train + validation. In
    memory and on disk: 4 bytes a validation row, and 400 bytes for each of at most `MOST_USERS`
    users; 10 MB a model with the 2 M validation rows of a log of 20 M.

    Attributes
    ----------
    data:
        SHA-256 of train, validation and what is relevant, see `fingerprint`.
    predicted:
        float32[rows], ratings of the validation rows in their order; None when the model
        predicts none.
    ranked:
        int32[users, min(LIST_LENGTH, items)], the best candidates of `list_users`, as indices in
        ``Target.items``, with UNKNOWN as padding; None when the model does not rank.
    """

    data: str
    predicted: np.ndarray | None
    ranked: np.ndarray | None

    @classmethod
    def of(cls, model: Recommender, target: Target) -> Answers:
        """Ask a model fitted on train, whose items are the target's candidates.

        Costs one prediction of each validation row and one ranking of each of `list_users`.
        """
        predicted = ranked = None
        if model.predicts_ratings and target.rated:
            predicted = model.predict(target.user_ids, target.item_ids)
        if model.ranks:
            users = list_users(target)
            ranked, _ = model.rank(target.users.ids[users], LIST_LENGTH, target.seen[users])
        return cls(fingerprint(model.data_sha256_, target), predicted, ranked)


def list_users(target: Target) -> np.ndarray:
    """Evaluable warm users, ascending indices; of more than `MOST_USERS` a fixed random sample."""
    evaluable = np.flatnonzero(target.user_is_warm & (target.n_relevant(warm=True) > 0))
    return sampled(evaluable, MOST_USERS)


def fingerprint(train_sha256: str, target: Target) -> str:
    """Hash of what answers belong to: the train part's hash, the held-out rows, their relevance."""
    rows = {
        "train": np.array(train_sha256),
        "user": target.user_ids,
        "item": target.item_ids,
        "rating": target.rating,
        "relevant": target.relevant,
    }
    return arrays_sha256(rows)


def save_answers(answers: Answers, folder: Path) -> None:
    """Write ``validation.npz`` into a model's folder; equal answers give equal bytes."""
    arrays = {"data": np.array(answers.data)}
    for name in ("predicted", "ranked"):
        if (array := getattr(answers, name)) is not None:
            arrays[name] = array
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_bytes(folder / ANSWERS, content.getvalue())


def load_answers(folder: Path) -> Answers:
    """Read what `save_answers` wrote; a missing or damaged file is a `DataError` that names it."""
    path = folder / ANSWERS
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        return Answers(str(arrays.pop("data")), arrays.get("predicted"), arrays.get("ranked"))
    except FileNotFoundError:
        raise DataError(f"{path}: file not found; train this model again") from None
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable ({error}); train this model again") from None
