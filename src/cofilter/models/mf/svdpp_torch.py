"""The torch engine of SVD++: autograd, any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import embedding

from cofilter.core.matrix import Interactions
from cofilter.models.mf.torch_learner import TorchFactors, sum_of_squares
from cofilter.recommender.learner import Arrays
from cofilter.recommender.torch_state import reproducible, to_numpy

if TYPE_CHECKING:
    from cofilter.models.mf.config import MFConfig

USERS = 1 << 12  # users whose histories are summed at once for `parameters`


class TorchSVDPlusPlus(TorchFactors):
    """SVD++ in training; see `SVDPlusPlus` for the loss.

    y is a table as wide as the others whose last column stays 0. A step sums y over the whole
    histories of its users, so beside what `TorchFactors` states it costs
    O(Σ over the batch's users of |N(u)| · dim), and an epoch up to batches times O(n · dim): few
    large batches are cheap, many small ones are not.
    """

    def __init__(self, config: MFConfig, data: Interactions, mean: float) -> None:
        super().__init__(config, data, mean)
        by_user = data.by_user
        self._start_of = torch.from_numpy(by_user.indptr.astype(np.int64))
        self._history = torch.from_numpy(by_user.indices.astype(np.int64))
        implicit = torch.zeros(len(data.items), config.dim + 1)
        self._tables["implicit"] = implicit.to(self.device).requires_grad_()
        self._optimizer = self._make_optimizer()

    def half_loss(self, batch: torch.Tensor) -> torch.Tensor:
        """½ Σ over these row numbers of w e² + λ (|p|² + |q|² + |y|² + b_u² + b_i²)."""
        user, item = self._user[batch], self._item[batch].to(self.device)
        rating = self._rating[batch].to(self.device)
        weight = self._weight[batch].to(self.device)
        distinct, row = torch.unique(user, return_inverse=True)
        z = embedding(row.to(self.device), self._sums(distinct))
        p = embedding(user.to(self.device), self._tables["user"])
        q, y = (embedding(item, self._tables[name]) for name in ("item", "implicit"))
        product = ((p[:, :-1] + z) * q[:, :-1]).sum(1)
        error = rating - product - p[:, -1] - q[:, -1]
        penalty = self.config.l2 * sum_of_squares(p, q, y[:, :-1])
        return 0.5 * ((weight * error**2).sum() + penalty)

    def _sums(self, users: torch.Tensor) -> torch.Tensor:
        """z_u = |N(u)|^-½ Σ y_j, float32[len(users), dim]."""
        first = self._start_of[users]
        size = self._start_of[users + 1] - first
        row = torch.repeat_interleave(torch.arange(len(users)), size)
        place = torch.arange(len(row)) - (torch.cumsum(size, 0) - size)[row] + first[row]
        y = embedding(self._history[place].to(self.device), self._tables["implicit"])[:, :-1]
        sums = torch.zeros(len(users), y.shape[1], device=self.device)
        sums = sums.index_add(0, row.to(self.device), y)
        return sums / size.to(self.device, torch.float32).sqrt()[:, None]

    def parameters(self) -> Arrays:
        """``user``, ``item``, float32[n, dim + 1] with user factors p + z, and ``implicit``."""
        tables = super().parameters()
        implicit = tables["implicit"][:, :-1]
        with torch.no_grad(), reproducible(self.config.threads, self.device):
            for users in torch.arange(len(tables["user"])).split(USERS):
                tables["user"][users.numpy(), :-1] += to_numpy(self._sums(users))
        return tables | {"implicit": np.ascontiguousarray(implicit)}
