"""An index of a model's items for approximate search, measured on the model's own users.

Items are searched by inner product, whose order a graph of neighbours does not keep by itself:
items of many ratings have long vectors and hide the others. Voyager (Spotify's HNSW) makes cosine
distances of them that keep the order, by one further dimension, sqrt(M^2 - |x|^2) with M the
longest vector (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean
Transformation for Inner-Product Spaces").
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cofilter.core.errors import CapabilityError, DataError, MissingDependencyError
from cofilter.core.io import read_json, write_bytes, write_json
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.products import PackedItems, best_products
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.people import UserRows

FOLDER, GRAPH, SETTINGS = "index", "items.voyager", "index.json"
LINKS, BUILT_WITH = 24, 200  # M and ef_construction of HNSW
DEPTHS = (50, 100, 200, 400, 800, 1600)  # ef while searching, from which the least enough is taken
WANTED = 0.99  # recall@10
USERS, TIMED = 500, 200  # of the model's own, that recall and time are measured on
K = 10


@dataclass(frozen=True)
class Measured:
    """An index beside exact search.

    Attributes
    ----------
    recall:
        Share of the exact ten best that the index finds, mean over ``users``; nothing left out.
    milliseconds, exact_milliseconds:
        Median of one user's search with one thread.
    depth:
        How many candidates a search goes through.
    """

    recall: float
    milliseconds: float
    exact_milliseconds: float
    users: int
    depth: int


class ItemIndex:
    """Finds a user's best items without going through all."""

    def __init__(self, graph: Any, depth: int) -> None:
        self._graph, self.depth = graph, depth

    @classmethod
    def of(cls, items: np.ndarray, threads: int = -1) -> ItemIndex:
        """Of item vectors float32[n, d]; n log n operations, about 4 n (d + 2 · LINKS) bytes."""
        voyager = _voyager()
        graph = voyager.Index(
            voyager.Space.InnerProduct, items.shape[1], M=LINKS, ef_construction=BUILT_WITH
        )
        graph.add_items(items, num_threads=threads)
        return cls(graph, DEPTHS[0])

    def search(self, users: np.ndarray, k: int) -> np.ndarray:
        """int64[n, k]: items of about the largest inner products with float32[n, d], best first."""
        k = min(k, len(self._graph))
        depth = max(self.depth, k)
        found, _ = self._graph.query(users, k, num_threads=1, query_ef=depth)
        return found.astype(np.int64)

    def measure(self, users: np.ndarray, items: np.ndarray) -> Measured:
        """Take the least depth with the wanted recall on some users' vectors, and time it."""
        packed = PackedItems.of(items)
        exact = exact_best(users, packed, K)
        recall = 0.0
        for depth in DEPTHS:
            self.depth = depth
            recall = recall_of(self.search(users, K), exact)
            if recall >= WANTED:
                break
        return Measured(
            recall=recall,
            milliseconds=median_milliseconds(lambda user: self.search(user, K), users),
            exact_milliseconds=median_milliseconds(lambda user: exact_best(user, packed, K), users),
            users=len(users),
            depth=self.depth,
        )

    def save(self, folder: Path, measured: Measured) -> None:
        """Write the graph, and how it is searched."""
        write_bytes(folder / GRAPH, self._graph.as_bytes())
        write_json(folder / SETTINGS, asdict(measured))

    @classmethod
    def load(cls, folder: Path) -> ItemIndex:
        """What `save` wrote; the items are those of the model beside it, in its order."""
        voyager = _voyager()
        settings = read_json(folder / SETTINGS)
        try:
            graph = voyager.Index.load(str(folder / GRAPH))
        except (RuntimeError, ValueError) as error:  # what its C++ threw
            raise DataError(f"{folder / GRAPH}: not readable as an index ({error})") from None
        return cls(graph, settings["depth"])


def index_of(model: Recommender) -> tuple[ItemIndex, Measured]:
    """Build and measure the index of a model whose scores are products of factors.

    Raises
    ------
    CapabilityError
        The model's scores are no such products.
    MissingDependencyError
        voyager is not installed.
    """
    if not model.scores_are_products:
        raise CapabilityError(
            f"{type(model).__name__} has no factors to index: its scores are no inner products"
        )
    items = np.ascontiguousarray(model._ranking_items(), np.float32)
    index = ItemIndex.of(items)
    return index, index.measure(some_users(model), items)


def some_users(model: Recommender) -> np.ndarray:
    """Vectors of a fixed draw of the model's users, float32[n, d]."""
    n_users = len(model.users_)
    rng = np.random.default_rng(0)
    drawn = np.sort(rng.choice(n_users, min(USERS, n_users), replace=False)).astype(np.int32)
    rows = UserRows(model._user_state(drawn), model._biases.user[drawn], drawn)
    return np.ascontiguousarray(model._ranking_users(rows), np.float32)


def exact_best(users: np.ndarray, items: PackedItems, k: int) -> np.ndarray:
    """int32[n, k]: the items of the largest inner products, by the kernel that ranks."""
    nothing = np.zeros(len(users) + 1, np.int64), np.empty(0, np.int32)
    return best_products(users, items, *nothing, k)[0]


def recall_of(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact best items, int[n, k], that are among those found; mean over users."""
    return float((exact[:, :, None] == found[:, None, :]).any(axis=2).mean())


def median_milliseconds(search: Callable[[np.ndarray], Any], users: np.ndarray) -> float:
    """Of one user's search, float32[1, d], one after another with one thread."""
    seconds = []
    with few_threads(small=True):
        for at in range(min(TIMED, len(users))):
            started = time.perf_counter()
            search(users[at : at + 1])
            seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds))


def _voyager() -> Any:
    try:
        import voyager
    except ImportError:
        raise MissingDependencyError(
            "an index needs voyager: pip install 'cofilter[index]'"
        ) from None
    return voyager
