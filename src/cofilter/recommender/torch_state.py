"""Torch on loan: its process-wide settings, and its part of a checkpoint as NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from cofilter.recommender.learner import Arrays

# cuBLAS is deterministic only with workspaces of fixed size, and torch refuses it without.
_CUBLAS, _FIXED_SIZE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"


@contextmanager
def reproducible(threads: int, device: str) -> Iterator[None]:
    """So many threads and deterministic algorithms while the block runs.

    Torch keeps them for the whole process, whose other users find them as they were.
    """
    before = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    lent = device == "cuda" and _CUBLAS not in os.environ
    if lent:
        os.environ[_CUBLAS] = _FIXED_SIZE
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)
        torch.set_num_threads(before)
        if lent:
            del os.environ[_CUBLAS]


def state_of(
    tables: Mapping[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> Arrays:
    """Copies of everything that later epochs depend on."""
    arrays = {f"table.{name}": to_numpy(table) for name, table in tables.items()}
    for index, slots in optimizer.state_dict()["state"].items():
        for name, tensor in slots.items():
            if isinstance(tensor, torch.Tensor):
                arrays[f"optimizer.{index}.{name}"] = to_numpy(tensor)
    arrays["generator"] = generator.get_state().numpy().copy()
    return arrays


def restore(
    state: Arrays,
    tables: Mapping[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> None:
    """Take back what `state_of` gave, whatever device it was made on."""
    with torch.no_grad():
        for name, table in tables.items():
            table.copy_(torch.from_numpy(state[f"table.{name}"]))
    slots: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in state.items():
        kind, *rest = key.split(".")
        if kind == "optimizer":
            slots.setdefault(int(rest[0]), {})[rest[1]] = torch.from_numpy(array.copy())
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": slots, "param_groups": groups})
    generator.set_state(torch.from_numpy(state["generator"].astype(np.uint8)))


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A copy of a tensor's values, on the CPU."""
    return tensor.detach().cpu().numpy().copy()
