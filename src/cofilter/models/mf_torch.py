"""The torch engine of matrix factorization: autograd, any device, Adam or SGD."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cofilter.errors import DeviceError
from cofilter.matrix import Interactions
from cofilter.models.learner import Arrays

if TYPE_CHECKING:
    from cofilter.models.mf import MFConfig


def resolve_device(name: str) -> str:
    """The device to train on; a named one that is absent is an error, never a silent CPU run."""
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": mps_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if present[device])
    if not present[name]:
        have = ", ".join(device for device, here in present.items() if here)
        raise DeviceError(f"device: {name!r} is not on this machine (present: {have})")
    return name


def mps_available() -> bool:
    """Whether an Apple GPU can be used."""
    return torch.backends.mps.is_available()


class TorchFactors:
    """Factors in training; see `MatrixFactorization` for the loss.

    Each epoch shuffles the ratings with the learner's own CPU generator, so that a run on any
    device sees the same batches. Cost of a step: dense gradients and optimizer state of both
    tables, O((users + items) · dim) whatever the batch, plus O(batch · dim).
    """

    engine = "torch"

    def __init__(self, config: MFConfig, data: Interactions, mean: float) -> None:
        self.config = config
        self.device = resolve_device(config.device)
        torch.set_num_threads(config.threads)
        torch.use_deterministic_algorithms(True)
        self._generator = torch.Generator().manual_seed(config.seed)
        self._user = torch.tensor(data.user, dtype=torch.int64)
        self._item = torch.tensor(data.item, dtype=torch.int64)
        self._rating = torch.tensor(data.rating) - mean
        shapes = {"user": len(data.users), "item": len(data.items)}
        self._tables = {name: self._start(rows) for name, rows in shapes.items()}
        self._optimizer = self._make_optimizer()

    def _start(self, rows: int) -> torch.Tensor:
        """float32[rows, dim + 1]: normal factors, bias 0 in the last column."""
        table = torch.zeros(rows, self.config.dim + 1)
        table[:, :-1].normal_(0.0, self.config.init_std, generator=self._generator)
        return table.to(self.device).requires_grad_()

    def _make_optimizer(self) -> torch.optim.Optimizer:
        tables = list(self._tables.values())
        if self.config.optimizer == "adam":
            return torch.optim.Adam(tables, self.config.lr, fused=self.device != "mps")
        return torch.optim.SGD(tables, self.config.lr)

    def identity(self) -> dict[str, Any]:
        """Engine, torch's version and threads."""
        return {
            "engine": self.engine,
            "torch": torch.__version__.split("+")[0],
            "threads": self.config.threads,
        }

    def learning_rate(self, epoch: int) -> float:
        """By the configured schedule; epochs count from 1."""
        config = self.config
        if config.schedule == "exponential":
            return config.lr * config.decay ** (epoch - 1)
        if config.schedule == "cosine":
            return config.lr * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / config.epochs))
        return config.lr

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One shuffled pass; gives the mean of the batches' losses, weighted by their ratings."""
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate(epoch)
        order = torch.randperm(len(self._rating), generator=self._generator)
        total = torch.zeros((), dtype=torch.float64)
        for batch in order.split(self.config.batch_size):
            self._optimizer.zero_grad(set_to_none=True)
            loss = self.batch_loss(batch)
            loss.backward()
            self._optimizer.step()
            total += loss.detach().cpu().double() * len(batch)  # MPS has no float64
            tick(len(batch))
        return float(total) / len(order)

    def batch_loss(self, batch: torch.Tensor) -> torch.Tensor:
        """Mean loss of the ratings with these row numbers."""
        rating = self._rating[batch].to(self.device)
        p = torch.nn.functional.embedding(self._user[batch].to(self.device), self._tables["user"])
        q = torch.nn.functional.embedding(self._item[batch].to(self.device), self._tables["item"])
        predicted = (p[:, :-1] * q[:, :-1]).sum(1)
        if self.config.kind == "biased":
            predicted = predicted + p[:, -1] + q[:, -1]
        penalty = (p * p).sum() + (q * q).sum()
        return ((rating - predicted) ** 2).mean() + self.config.l2 * penalty / len(batch)

    def parameters(self) -> Arrays:
        """``user`` and ``item``, float32[n, dim + 1]."""
        return {name: to_numpy(table) for name, table in self._tables.items()}

    def state(self) -> Arrays:
        """Tables, optimizer slots and the generator."""
        arrays = {f"table.{name}": to_numpy(table) for name, table in self._tables.items()}
        for index, slots in self._optimizer.state_dict()["state"].items():
            for name, tensor in slots.items():
                if isinstance(tensor, torch.Tensor):
                    arrays[f"optimizer.{index}.{name}"] = to_numpy(tensor)
        arrays["generator"] = self._generator.get_state().numpy().copy()
        return arrays

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave, whatever device it was made on."""
        with torch.no_grad():
            for name, table in self._tables.items():
                table.copy_(torch.from_numpy(state[f"table.{name}"]))
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for key, array in state.items():
            kind, *rest = key.split(".")
            if kind == "optimizer":
                slots.setdefault(int(rest[0]), {})[rest[1]] = torch.from_numpy(array.copy())
        whole = self._optimizer.state_dict()
        self._optimizer.load_state_dict({"state": slots, "param_groups": whole["param_groups"]})
        self._generator.set_state(torch.from_numpy(state["generator"].astype(np.uint8)))


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A copy of a tensor's values, on the CPU."""
    return tensor.detach().cpu().numpy().copy()
