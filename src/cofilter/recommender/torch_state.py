"""Torch's part of a checkpoint: tables, optimizer slots and the generator, as NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from cofilter.recommender.learner import Arrays


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
