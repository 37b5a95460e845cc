"""Neural collaborative filtering: a small network over the embeddings of a user and an item."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from cofilter.core.matrix import Interactions
from cofilter.models.ncf.config import ImplicitNetworkConfig, NCFConfig, RatingNetworkConfig
from cofilter.recommender.device import require_torch, resolve_device
from cofilter.recommender.iterative import IterativeRecommender
from cofilter.recommender.learner import Arrays, Learner
from cofilter.recommender.people import UserRows, UserState

Items = np.ndarray | slice
LossRows = tuple[Items, np.ndarray, np.ndarray]  # items, targets, weights
PAIRS_AT_ONCE = 1 << 16  # predicted together: 32 MiB a layer of 128 units
STEP = 1e5  # operations that take as long as a step's calls of NumPy, whatever its arrays' size


class _Network(IterativeRecommender):
    """A multi-layer perceptron over [user embedding; item embedding] with one output.

        f(u, i) = w · relu(… relu(W₁ᵘ a(p_u) + W₁ⁱ a(q_i) + b₁) …) + b

    It is trained with torch and answers with NumPy. Since the first layer is a sum of a user's and
    an item's part, each is computed once; ranking then costs Σ (inputs × units) of the layers after
    the first a pair (8 thousand multiplications with 128 and 64 units) and items × units × 4 bytes.

    A new user is folded in by ``fold_in_steps`` of Adam on the user's embedding, from the mean of
    all users' and with everything else fixed: no randomness, float32, one person at a time.

    Fitted state: ``parameters_``: ``user`` and ``item``, float32[n, dim]; ``weight0``,
    float32[units, inputs], ``bias0`` and so on to the output; of a part of the users ``start``.
    """

    family = "ncf"
    config: NCFConfig
    embeddings_activated: ClassVar[bool]  # a above is relu, else the identity
    # Folding in is after training: its settings have no part in a checkpoint's identity.
    machine_settings = IterativeRecommender.machine_settings | {"fold_in_steps", "fold_in_lr"}

    def require(self, n_users: int, n_items: int, n_ratings: int) -> None:
        """Torch, and the device that is named."""
        require_torch(type(self).__name__)
        resolve_device(self.config.device)

    @abstractmethod
    def _fold_in_rows(self, item: np.ndarray, rating: np.ndarray) -> LossRows:
        """Of the loss that a new user's embedding lowers."""

    @abstractmethod
    def _error(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Derivative of the loss of each output."""

    def _set(self, parameters: Arrays) -> None:
        self.parameters_ = parameters
        weights = [parameters[f"weight{n}"] for n in range(len(self.config.hidden) + 1)]
        biases = [parameters[f"bias{n}"] for n in range(len(self.config.hidden) + 1)]
        self._user_weight, item_weight = np.split(weights[0], 2, axis=1)
        self._item_part = self._activated(parameters["item"]) @ item_weight.T + biases[0]
        self._layers = list(zip(weights[1:], biases[1:], strict=True))

    def _activated(self, embedding: np.ndarray) -> np.ndarray:
        return np.maximum(embedding, 0) if self.embeddings_activated else embedding

    def _user_part(self, embedding: np.ndarray) -> np.ndarray:
        return self._activated(embedding) @ self._user_weight.T

    def _output(self, hidden: np.ndarray) -> np.ndarray:
        """Output float32[n] of the first layer's sums [n, units], which are overwritten."""
        for weight, bias in self._layers:
            hidden = np.maximum(hidden, 0, out=hidden) @ weight.T
            hidden += bias
        return hidden[:, 0]

    def _user_state(self, user: np.ndarray) -> UserState:
        return self.parameters_["user"][user]

    def _take_users(self, state: UserState, new: Interactions) -> None:
        self.parameters_ = self.parameters_ | {"user": state}

    def _keep_users(self, rows: np.ndarray) -> None:
        own = {"user": self.parameters_["user"][rows], "start": self._start}
        self.parameters_ = self.parameters_ | own

    @property
    def _start(self) -> np.ndarray:
        """float32[dim], where a new user begins; a part of the users keeps that of all."""
        kept = self.parameters_.get("start")
        mean: np.ndarray = self.parameters_["user"].mean(axis=0) if kept is None else kept
        return mean

    def _score_items(self, users: UserRows) -> np.ndarray:
        # A user at a time, so that products have one shape and equal bits in whatever block.
        rows = [self._output(self._item_part + self._user_part(each)) for each in users.state]
        return np.stack(rows)

    def _similarities(self, item: np.ndarray) -> np.ndarray:
        """Cosine of embeddings."""
        embedding = self.parameters_["item"]
        length = np.linalg.norm(embedding, axis=1, keepdims=True)
        unit = np.divide(embedding, length, out=np.zeros_like(embedding), where=length > 0)
        return unit[item] @ unit.T

    def _fold_in(self, data: Interactions, item: np.ndarray, bias: np.ndarray) -> UserState:
        start = self._start
        state = np.tile(start, (len(data.users), 1))
        order = np.argsort(data.user, kind="stable")
        bounds = np.searchsorted(data.user[order], np.arange(len(data.users) + 1))

        def take_in(person: int) -> None:
            rows = order[bounds[person] : bounds[person + 1]]
            if len(rows):
                loss_rows = self._fold_in_rows(item[rows], data.rating[rows])
                state[person] = self._descend(start, *loss_rows)

        from cofilter.recommender.kernels.threads import in_threads

        in_threads(take_in, range(len(data.users)))
        return state

    def _descend(
        self, embedding: np.ndarray, item: Items, target: np.ndarray, weight: np.ndarray
    ) -> np.ndarray:
        """The embedding after ``fold_in_steps`` of Adam with PyTorch's default decay rates."""
        mean, square = np.zeros_like(embedding), np.zeros_like(embedding)
        item_part = self._item_part[item]
        layers = self._empty_layers(len(target)), self._empty_layers(len(target))
        for step in range(1, self.config.fold_in_steps + 1):
            gradient = self._gradient(embedding, item_part, target, weight, layers)
            gradient += self.config.weight_decay * embedding
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            root = np.sqrt(square / (1 - 0.999**step)) + 1e-8
            embedding = embedding - self.config.fold_in_lr * (mean / (1 - 0.9**step)) / root
        return embedding.astype(np.float32)

    def folding_work(self, n_ratings: int) -> float:
        """Steps of three passes each over the rows of the loss, and one pass over all items."""
        pairs = sum(weight.size for weight, _ in self._layers) / 16
        rows = self._n_folding_rows(n_ratings)
        steps = self.config.fold_in_steps
        return steps * (3 * rows * pairs + STEP) + len(self.items_) * pairs

    def _n_folding_rows(self, n_ratings: int) -> int:
        """How many rows `_fold_in_rows` gives of a history."""
        return n_ratings

    def _empty_layers(self, n: int) -> list[np.ndarray]:
        """Room for every layer's units of n items; fresh pages a step cost as much as its sums."""
        widths = [len(self._user_weight), *(len(weight) for weight, _ in self._layers)]
        return [np.empty((n, width), np.float32) for width in widths]

    def _gradient(
        self,
        embedding: np.ndarray,
        item_part: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        layers: tuple[list[np.ndarray], list[np.ndarray]],
    ) -> np.ndarray:
        """∂/∂p_u of Σ weight · loss over items, by back-propagation; float32[dim].

        ``layers``: two of `_empty_layers`, overwritten with units and derivatives.
        """
        from cofilter.models.ncf.kernels import units as kernels  # here, since Numba takes long

        units, back = layers
        last = len(self._layers) - 1
        kernels.add_and_activate(item_part, self._user_part(embedding), units[0])
        for n, (layer, bias) in enumerate(self._layers[:last]):
            np.matmul(units[n], layer.T, out=units[n + 1])
            kernels.add_and_activate(units[n + 1], bias, units[n + 1])
        output, bias = self._layers[last]
        np.matmul(units[last], output.T, out=units[-1])
        back[-1][:, 0] = weight * self._error(units[-1][:, 0] + bias, target)
        kernels.back_from_one(back[-1], output[0], units[last], back[last])
        for n in reversed(range(last)):
            if n + 1 < last:
                kernels.keep_active(back[n + 1], units[n + 1])
            np.matmul(back[n + 1], self._layers[n][0], out=back[n])
        gradient = kernels.sum_of_active(back[0], units[0]) @ self._user_weight
        return gradient * (embedding > 0) if self.embeddings_activated else gradient

    def _arrays(self) -> dict[str, np.ndarray]:
        return self.parameters_

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._set(arrays)


class ImplicitNetwork(_Network):
    """Neural collaborative filtering (He et al. 2017, its multi-layer perceptron); ranks only.

    The output is a logit, a the identity, and every rating a positive. With n items drawn for each
    (`ImplicitNetworkConfig.negatives`) the loss is, σ being the logistic function,

        mean over ratings of [−log σ(f(u, i)) − Σ_j log(1 − σ(f(u, j)))] / (1 + n)

    Dropout is on every hidden layer. Folding in lowers the same loss in expectation: each item
    outside the history counts as a negative by its chance of being drawn. It costs thrice a
    ranking a step.
    """

    predicts_ratings = False
    embeddings_activated = False
    config: ImplicitNetworkConfig
    config_class = ImplicitNetworkConfig

    def _learner(self, data: Interactions) -> Learner:
        self.require(*data.shape, len(data))  # torch is imported only when it trains
        from cofilter.models.ncf.learner import ImplicitLearner

        return ImplicitLearner(self.config, data)

    def _fold_in_rows(self, item: np.ndarray, rating: np.ndarray) -> LossRows:
        config, n_items = self.config, len(self.items_)
        count = np.ones(n_items) if config.negatives == "uniform" else self.popularity_
        weight = config.n_negatives * (count / count.sum())
        target = np.zeros(n_items)
        weight[item], target[item] = 1 / len(item), 1.0
        return slice(None), target, weight / (1 + config.n_negatives)

    def _n_folding_rows(self, n_ratings: int) -> int:
        return len(self.items_)

    def _error(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        return 0.5 * (1 + np.tanh(0.5 * output.astype(np.float64))) - target


class RatingNetwork(_Network):
    """A network that predicts ratings: mean of (r_ui − f(u, i))² over the training ratings.

    a is relu, and dropout is on the embeddings only, as in the networks that are taught with
    MovieLens (Howard and Gugger 2020, "Deep Learning for Coders", chapter 8). With ``centred``
    the mean training rating is added to f. Ranks by predicted rating; folding in lowers the same
    loss over the history.
    """

    needs_ratings = True
    embeddings_activated = True
    config: RatingNetworkConfig
    config_class = RatingNetworkConfig

    def _learner(self, data: Interactions) -> Learner:
        self.require(*data.shape, len(data))  # torch is imported only when it trains
        from cofilter.models.ncf.learner import RatingLearner

        return RatingLearner(self.config, data, self._mean)

    @property
    def _mean(self) -> float:
        return self._biases.mean if self.config.centred else 0.0

    def _score_pairs(
        self, users: UserRows, row: np.ndarray, item: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        scores = np.empty(len(row), np.float32)
        user_part = self._user_part(users.state)
        for start in range(0, len(row), PAIRS_AT_ONCE):
            pairs = slice(start, start + PAIRS_AT_ONCE)
            scores[pairs] = self._output(user_part[row[pairs]] + self._item_part[item[pairs]])
        return self._mean + scores, np.ones(len(row), bool)

    def _score_items(self, users: UserRows) -> np.ndarray:
        return np.float32(self._mean) + super()._score_items(users)

    def _fold_in_rows(self, item: np.ndarray, rating: np.ndarray) -> LossRows:
        return item, rating - self._mean, np.full(len(item), 1 / len(item))

    def _error(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        return 2 * (output - target)


KINDS: dict[str, type[_Network]] = {"implicit": ImplicitNetwork, "rating": RatingNetwork}
