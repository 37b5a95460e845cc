"""The torch engine of matrix factorization: autograd, any device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cofilter.core.matrix import Interactions
from cofilter.models.mf.config import FIRST_SQUARES
from cofilter.models.mf.weights import item_means, weighted
from cofilter.recommender import torch_state
from cofilter.recommender.device import resolve_device
from cofilter.recommender.learner import Arrays

if TYPE_CHECKING:
    from cofilter.models.mf.config import MFConfig

SLICE = 1 << 20  # ratings whose gathered factors are held at once; larger batches add up gradients


class RowAdaGrad(torch.optim.Optimizer):
    """AdaGrad with one rate a row, lr / √S: S sums the mean squares of the row's factor gradients
    before the present step. The last column, the bias, shares its row's rate.
    """

    def __init__(self, tables: list[torch.Tensor], lr: float) -> None:
        super().__init__(tables, {"lr": lr})
        for table in tables:
            self.state[table]["squares"] = torch.full_like(table[:, 0].detach(), FIRST_SQUARES)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step along the gradients; rows without one stay."""
        for group in self.param_groups:
            for table in group["params"]:
                squares = self.state[table]["squares"]
                table -= group["lr"] * table.grad / squares.sqrt()[:, None]
                squares += table.grad[:, :-1].square().mean(1)


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
        self._generator = torch.Generator().manual_seed(config.seed)
        self._user = torch.tensor(data.user, dtype=torch.int64)
        self._item = torch.tensor(data.item, dtype=torch.int64)
        weight = weighted(data, config.propensity).weight
        alike = torch.ones(1).expand(len(data))
        self._weight = alike if weight is None else torch.from_numpy(weight)
        self._once_a_row = config.kind == "item_centred"
        means = item_means(data) if self._once_a_row else np.zeros(len(data.items))
        self._item_mean = torch.from_numpy(means.astype(np.float32))
        self._rating = torch.tensor(data.rating) - mean - self._item_mean[self._item]
        shapes = {"user": len(data.users), "item": len(data.items)}
        self._tables = {name: self._start(rows) for name, rows in shapes.items()}
        self._optimizer = self._make_optimizer()

    def _start(self, rows: int) -> torch.Tensor:
        """float32[rows, dim + 1] at its start, the bias in the last column."""
        config, generator = self.config, self._generator
        table = torch.zeros(rows, config.dim + 1)
        if config.init_uniform is None:
            table[:, :-1].normal_(0.0, config.init_std, generator=generator)
        else:
            table[:, :-1].uniform_(*config.init_uniform, generator=generator)
        if config.bias_uniform is not None and config.kind == "biased":
            table[:, -1].uniform_(*config.bias_uniform, generator=generator)
        return table.to(self.device).requires_grad_()

    def _make_optimizer(self) -> torch.optim.Optimizer:
        tables, lr = list(self._tables.values()), self.config.lr
        if self.config.optimizer == "adam":
            fused, decay = self.device != "mps", self.config.weight_decay
            return torch.optim.Adam(tables, lr, weight_decay=decay, fused=fused)
        if self.config.optimizer == "adagrad":
            return RowAdaGrad(tables, lr)
        return torch.optim.SGD(tables, lr)

    def identity(self) -> dict[str, Any]:
        """Engine, torch's version and threads."""
        return {
            "engine": self.engine,
            "torch": torch.__version__.split("+")[0],
            "threads": self.config.threads,
        }

    def learning_rate(self, epoch: int) -> float:
        """By the configured schedule; epochs count from 1."""
        return self.config.learning_rate(epoch)

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One shuffled pass; gives the mean loss, each batch's taken before its step."""
        with torch_state.reproducible(self.config.threads, self.device):
            return self._run_epoch(epoch, tick)

    def _run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        if self.config.starts_anew(epoch):
            self._optimizer = self._make_optimizer()
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate(epoch)
        order = torch.randperm(len(self._rating), generator=self._generator)
        total = torch.zeros((), dtype=torch.float64)
        for batch in order.split(self.config.batch_size or len(order)):
            self._optimizer.zero_grad(set_to_none=True)
            # Adam takes the mean loss's gradient, the others half the summed loss's.
            scale = 2 / len(batch) if self.config.optimizer == "adam" else 1.0
            if self._once_a_row:
                total += self._add_gradient(self._row_penalty(), scale)
            for part in batch.split(SLICE):
                total += self._add_gradient(self.half_loss(part), scale)
                tick(len(part))
            self._optimizer.step()
        return float(total) * (1.0 if self._once_a_row else 2.0) / len(order)

    def _add_gradient(self, loss: torch.Tensor, scale: float) -> torch.Tensor:
        (loss * scale).backward()
        return loss.detach().cpu().double()  # MPS has no float64

    def _row_penalty(self) -> torch.Tensor:
        return 0.5 * self.config.l2 * sum_of_squares(*self._tables.values())

    def half_loss(self, batch: torch.Tensor) -> torch.Tensor:
        """½ Σ over these row numbers of w e², and λ of each rating where it counts so."""
        rating = self._rating[batch].to(self.device)
        weight = self._weight[batch].to(self.device)
        p = torch.nn.functional.embedding(self._user[batch].to(self.device), self._tables["user"])
        q = torch.nn.functional.embedding(self._item[batch].to(self.device), self._tables["item"])
        predicted = (p[:, :-1] * q[:, :-1]).sum(1)
        if self.config.kind == "biased":
            predicted = predicted + p[:, -1] + q[:, -1]
        loss = (weight * (rating - predicted) ** 2).sum()
        if not self._once_a_row:
            loss = loss + self.config.l2 * sum_of_squares(p, q)
        return 0.5 * loss

    def parameters(self) -> Arrays:
        """``user`` and ``item``, float32[n, dim + 1]."""
        tables = {name: torch_state.to_numpy(table) for name, table in self._tables.items()}
        tables["item"][:, -1] += self._item_mean.numpy()
        return tables

    def state(self) -> Arrays:
        """Tables, optimizer slots and the generator."""
        return torch_state.state_of(self._tables, self._optimizer, self._generator)

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave, whatever device it was made on."""
        torch_state.restore(state, self._tables, self._optimizer, self._generator)


def sum_of_squares(*tables: torch.Tensor) -> torch.Tensor:
    """Σ of all squared entries."""
    return torch.stack([table.square().sum() for table in tables]).sum()
