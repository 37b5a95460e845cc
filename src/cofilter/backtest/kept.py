"""Scores of finished jobs as files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cofilter.console import messages
from cofilter.core.io import write_bytes, write_json
from cofilter.metrics.rating import UserErrors
from cofilter.scoring.scores import Ranked, ScopeScores
from cofilter.training.checkpoint import CheckpointStore

SCORES, JOB = "scores.npz", "job.json"
_ERRORS = ("rows", "squared", "absolute")


def kept_or_made(
    store: CheckpointStore, make: Callable[[], ScopeScores], *, anew: bool
) -> ScopeScores:
    """The scores that an earlier process kept; otherwise, or ``anew``, they are made and kept."""
    with store.locked():
        path = store.folder / SCORES
        found = None if anew else _kept(path)
        if found is None:
            write_json(store.folder / JOB, store.identity)
            found = make()
            write_bytes(path, to_bytes(found))
        store.set_finished(True)
    return found


def to_bytes(scores: ScopeScores) -> bytes:
    """Scores as an ``.npz``; equal scores give equal bytes."""
    arrays = {"counts": np.array(json.dumps(scores.counts))}
    if scores.errors is not None:
        arrays |= {f"errors/{name}": getattr(scores.errors, name) for name in _ERRORS}
    if scores.ranked is not None:
        arrays |= {"user": scores.ranked.user, "n_relevant": scores.ranked.n_relevant}
        arrays |= {f"ranked/{name}": each for name, each in scores.ranked.values.items()}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return content.getvalue()


def from_file(path: Path) -> ScopeScores:
    """Read what `to_bytes` made."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    errors = ranked = None
    if "errors/rows" in arrays:
        errors = UserErrors(*(arrays[f"errors/{name}"] for name in _ERRORS))
    if "user" in arrays:
        values = {
            name.removeprefix("ranked/"): each
            for name, each in arrays.items()
            if name.startswith("ranked/")
        }
        ranked = Ranked(arrays["user"], arrays["n_relevant"], values)
    return ScopeScores(errors, ranked, json.loads(str(arrays["counts"])))


def _kept(path: Path) -> ScopeScores | None:
    try:
        return from_file(path)
    except FileNotFoundError:
        return None
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        messages.damaged_job(path, error)
        return None
