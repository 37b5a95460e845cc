"""Training of the networks of neural collaborative filtering: torch, any device, Adam."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from cofilter.core.matrix import Interactions
from cofilter.recommender import torch_state
from cofilter.recommender.device import resolve_device
from cofilter.recommender.learner import Arrays

if TYPE_CHECKING:
    from cofilter.models.ncf.config import ImplicitNetworkConfig, NCFConfig, RatingNetworkConfig

PIECE = 1 << 13  # ratings whose gradients are computed together, whatever the batch


class NetworkLearner(ABC):
    """A network in training; see `cofilter.models.ncf.model` for what it computes and the losses.

    Batches, negatives and dropout are drawn from the learner's own CPU generator, so that a run
    on any device sees the same ones. A batch's gradient is summed over pieces of `PIECE` ratings,
    which bounds memory and the time to an interruption.

    Cost of a step: dense gradients and Adam's two slots of everything, O((users + items) · dim)
    whatever the batch, plus three times the forward pass.
    """

    engine = "torch"

    def __init__(self, config: NCFConfig, data: Interactions) -> None:
        self.config = config
        self.device = resolve_device(config.device)
        self._generator = torch.Generator().manual_seed(config.seed)
        self._user = torch.tensor(data.user, dtype=torch.int64)
        self._item = torch.tensor(data.item, dtype=torch.int64)
        self._parameters = self._start(*data.shape)
        self._optimizer = self._new_optimizer()

    @abstractmethod
    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        """Sum of the losses of the ratings with these row numbers."""

    def _start(self, n_users: int, n_items: int) -> dict[str, torch.Tensor]:
        config = self.config
        shapes = {"user": (n_users, config.dim), "item": (n_items, config.dim)}
        parameters = {name: self._embeddings(torch.empty(shape)) for name, shape in shapes.items()}
        sizes = (2 * config.dim, *config.hidden, 1)
        for layer, (inputs, units) in enumerate(pairwise(sizes)):
            for name, shape in (("weight", (units, inputs)), ("bias", (units,))):
                start = torch.empty(shape).uniform_(-1, 1, generator=self._generator)
                parameters[f"{name}{layer}"] = start * inputs**-0.5
        return {name: each.to(self.device).requires_grad_() for name, each in parameters.items()}

    def _embeddings(self, table: torch.Tensor) -> torch.Tensor:
        if self.config.init_uniform is not None:
            return table.uniform_(*self.config.init_uniform, generator=self._generator)
        return table.normal_(0.0, self.config.init_std, generator=self._generator)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        config, parameters = self.config, list(self._parameters.values())
        fused = self.device != "mps"
        return torch.optim.Adam(parameters, weight_decay=config.weight_decay, fused=fused)

    def identity(self) -> dict[str, Any]:
        """Engine, torch's version and threads."""
        return {
            "engine": self.engine,
            "torch": torch.__version__.split("+")[0],
            "threads": self.config.threads,
        }

    def _fit_of(self, epoch: int) -> tuple[bool, float]:
        """Whether this epoch is the first of a fit of the schedule, and the fit's rate."""
        first = 1
        for epochs, rate in self.config.schedule[:-1]:
            if epoch < first + epochs:
                return epoch == first, rate
            first += epochs
        return epoch == first, self.config.schedule[-1][1]

    def learning_rate(self, epoch: int) -> float:
        """Of the fit that this epoch belongs to; epochs count from 1."""
        return self._fit_of(epoch)[1]

    def run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        """One shuffled pass; gives the mean loss of a rating."""
        with torch_state.reproducible(self.config.threads, self.device):
            return self._run_epoch(epoch, tick)

    def _run_epoch(self, epoch: int, tick: Callable[[int], None]) -> float:
        begins, rate = self._fit_of(epoch)
        if begins:
            self._optimizer = self._new_optimizer()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        order = torch.randperm(len(self._user), generator=self._generator)
        total = 0.0
        for batch in order.split(self.config.batch_size or len(order)):
            self._optimizer.zero_grad(set_to_none=True)
            for piece in batch.split(PIECE):
                loss = self._loss(piece)
                (loss / len(batch)).backward()
                total += loss.item()
                tick(len(piece))
            self._optimizer.step()
        return total / len(order)

    def _layers_after(self, sums: torch.Tensor, dropout: float) -> torch.Tensor:
        """Output [...] of the first layer's sums [..., units]."""
        for layer in range(1, len(self.config.hidden) + 1):
            hidden = self._dropped(functional.relu(sums), dropout)
            weight, bias = self._parameters[f"weight{layer}"], self._parameters[f"bias{layer}"]
            sums = functional.linear(hidden, weight, bias)
        return sums[..., 0]

    def _dropped(self, units: torch.Tensor, dropout: float) -> torch.Tensor:
        """Units [...] of which a share is 0, the others scaled up by what is missing."""
        limit = round(dropout * (1 << 16))
        if not limit:
            return units
        # 64 random bits make four decisions: seven times faster than `bernoulli_`.
        words = torch.empty(-(-units.numel() // 4), dtype=torch.int64)
        words.random_(-(1 << 63), None, generator=self._generator)
        kept = words.view(torch.int16)[: units.numel()] >= limit - (1 << 15)
        scaled = kept.view(units.shape).to(self.device).to(units.dtype) / (1 - limit / (1 << 16))
        return units * scaled

    def parameters(self) -> Arrays:
        """``user``, ``item`` and the layers, float32."""
        return {name: torch_state.to_numpy(each) for name, each in self._parameters.items()}

    def state(self) -> Arrays:
        """Parameters, optimizer slots and the generator."""
        return torch_state.state_of(self._parameters, self._optimizer, self._generator)

    def restore(self, state: Arrays) -> None:
        """Take back what `state` gave, whatever device it was made on."""
        torch_state.restore(state, self._parameters, self._optimizer, self._generator)


class ImplicitLearner(NetworkLearner):
    """`ImplicitNetwork` in training."""

    config: ImplicitNetworkConfig

    def __init__(self, config: ImplicitNetworkConfig, data: Interactions) -> None:
        super().__init__(config, data)
        self._n_items = len(data.items)
        self._pairs = (self._user * self._n_items + self._item).sort().values

    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        user, negative = self._user[rows], self._negatives(len(rows))
        item = torch.cat([self._item[rows, None], negative], dim=1)
        counted = torch.cat([torch.ones(len(rows), 1), self._unseen(user, negative)], dim=1)
        output = self.logits(user, item, self.config.dropout)
        target = torch.zeros_like(output)
        target[:, 0] = 1.0
        loss = functional.binary_cross_entropy_with_logits(
            output, target, counted.to(self.device), reduction="sum"
        )
        return loss / item.shape[1]

    def _negatives(self, n: int) -> torch.Tensor:
        """Items int64[n, n_negatives]; the item of a random rating is popularity-weighted."""
        shape = n, self.config.n_negatives
        if self.config.negatives == "uniform":
            return torch.randint(self._n_items, shape, generator=self._generator)
        return self._item[torch.randint(len(self._item), shape, generator=self._generator)]

    def _unseen(self, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """1.0 where the user [n] has not rated the item [n, m], 0.0 elsewhere."""
        pair = user[:, None] * self._n_items + item
        at = torch.searchsorted(self._pairs, pair).clamp_(max=len(self._pairs) - 1)
        return (self._pairs[at] != pair).float()

    def logits(self, user: torch.Tensor, item: torch.Tensor, dropout: float) -> torch.Tensor:
        """Output [n, m] of each user [n] with each of its items [n, m]."""
        weights = self._parameters["weight0"].split(self.config.dim, dim=1)
        of_user = _products(self._parameters["user"], user.to(self.device), weights[0])
        of_item = _products(self._parameters["item"], item.to(self.device), weights[1])
        sums = of_user[:, None] + of_item + self._parameters["bias0"]
        return self._layers_after(sums, dropout)


class RatingLearner(NetworkLearner):
    """`RatingNetwork` in training."""

    config: RatingNetworkConfig

    def __init__(self, config: RatingNetworkConfig, data: Interactions, mean: float) -> None:
        super().__init__(config, data)
        self._rating = torch.tensor(data.rating) - mean

    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        output = self.outputs(self._user[rows], self._item[rows], self.config.dropout)
        return ((self._rating[rows].to(self.device) - output) ** 2).sum()

    def outputs(self, user: torch.Tensor, item: torch.Tensor, dropout: float) -> torch.Tensor:
        """Output [n] of pairs, without the mean."""
        tables = ((self._parameters["user"], user), (self._parameters["item"], item))
        rows = [functional.embedding(index.to(self.device), table) for table, index in tables]
        inputs = self._dropped(functional.relu(torch.cat(rows, dim=1)), dropout)
        sums = functional.linear(inputs, self._parameters["weight0"], self._parameters["bias0"])
        return self._layers_after(sums, 0.0)


def _products(table: torch.Tensor, index: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Rows of table · weightᵀ; the product comes before the choice of rows when it is cheaper."""
    if len(table) < index.numel():
        return functional.embedding(index, table @ weight.T)
    return functional.embedding(index, table) @ weight.T
