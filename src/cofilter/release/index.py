"""An index of a model's items for approximate search, measured on the model's own users.

A graph of neighbours (HNSW, Malkov and Yashunin 2018; USearch's) is walked by inner product. Items
of many ratings have longer vectors, so that most paths lead to them: good where users want them,
and a trap where not. The other way is a further dimension, sqrt(M² − |x|²) with M the longest
vector, by which all items are equally long and an angle keeps the order of inner products (Bachrach
et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for
Inner-Product Spaces"). Which finds more for less depends on the model, so where the first does not
find enough, both are built and the better one is kept (``python -m benchmarks.index`` compares
libraries).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cofilter.core.errors import CapabilityError, DataError
from cofilter.core.io import read_json, write_json
from cofilter.recommender.base import Recommender
from cofilter.recommender.kernels.products import PackedItems, best_products
from cofilter.recommender.kernels.threads import few_threads
from cofilter.recommender.people import UserRows
from cofilter.release.needs import needed

FOLDER, GRAPH, SETTINGS = "index", "items.usearch", "index.json"
LINKS, BUILT_WITH = 24, 200  # M and ef_construction of HNSW
DEPTHS = (50, 100, 200, 400, 800, 1600)  # ef while searching, from which the least enough is taken
WANTED = 0.99  # recall@10
USERS, TIMED = 500, 200  # of the model's own, that recall and time are measured on
K = 10

Space = Literal["inner product", "angle"]
SPACES: dict[Space, str] = {"inner product": "ip", "angle": "cos"}  # USearch's metrics


@dataclass(frozen=True)
class Measured:
    """An index beside exact search.

    Attributes
    ----------
    space:
        What the graph is walked by.
    depth:
        How many candidates a search goes through.
    recall:
        Share of the exact ten best that the index finds, mean over ``users``; nothing left out.
    milliseconds, exact_milliseconds:
        Median of one user's search with one thread.
    """

    space: Space
    depth: int
    recall: float
    milliseconds: float
    exact_milliseconds: float
    users: int


class ItemIndex:
    """Finds a user's best items without going through all."""

    def __init__(self, graph: Any, space: Space, depth: int) -> None:
        self._graph, self.space = graph, space
        self.set_depth(depth)

    @classmethod
    def of(cls, items: np.ndarray, space: Space) -> ItemIndex:
        """Of item vectors float32[n, d]; n log n operations, about 4 n (d + 2 · LINKS) bytes."""
        vectors = items if space == "inner product" else with_length(items)
        graph = _usearch().Index(
            ndim=vectors.shape[1],
            metric=SPACES[space],
            dtype="f32",
            connectivity=LINKS,
            expansion_add=BUILT_WITH,
        )
        graph.add(np.arange(len(vectors)), vectors)
        return cls(graph, space, DEPTHS[0])

    def __len__(self) -> int:
        return len(self._graph)

    def set_depth(self, depth: int) -> None:
        """Go through so many candidates from now on."""
        self.depth = depth
        self._graph.expansion_search = depth

    def search(self, users: np.ndarray, k: int) -> np.ndarray:
        """int64[n, k]: items of about the largest inner products with float32[n, d], best first."""
        if self.space == "angle":
            users = np.column_stack([users, np.zeros((len(users), 1), np.float32)])
        found = self._graph.search(users, min(k, len(self._graph)), threads=1)
        return np.asarray(found.keys).reshape(len(users), -1).astype(np.int64)

    def measure(self, users: np.ndarray, items: np.ndarray) -> Measured:
        """Take the least depth with the wanted recall on some users' vectors, and time it."""
        packed = PackedItems.of(items)
        exact, recall = exact_best(users, packed, K), 0.0
        for depth in DEPTHS:
            self.set_depth(depth)
            recall = recall_of(self.search(users, K), exact)
            if recall >= WANTED:
                break
        return Measured(
            space=self.space,
            depth=self.depth,
            recall=recall,
            milliseconds=median_milliseconds(lambda user: self.search(user, K), users),
            exact_milliseconds=median_milliseconds(lambda user: exact_best(user, packed, K), users),
            users=len(users),
        )

    def save(self, folder: Path, measured: Measured) -> None:
        """Write the graph, and how it is searched."""
        folder.mkdir(parents=True, exist_ok=True)
        self._graph.save(str(folder / GRAPH))
        write_json(folder / SETTINGS, asdict(measured))

    @classmethod
    def load(cls, folder: Path) -> ItemIndex:
        """What `save` wrote, mapped into memory; its items are those of the model beside it."""
        usearch, settings = _usearch(), read_json(folder / SETTINGS)
        try:
            graph = usearch.Index.restore(str(folder / GRAPH), view=True)
        except (RuntimeError, ValueError, OSError) as error:
            raise DataError(f"{folder / GRAPH}: not readable as an index ({error})") from None
        if graph is None:
            raise DataError(f"{folder / GRAPH}: not readable as an index")
        return cls(graph, settings["space"], settings["depth"])


def index_of(model: Recommender) -> tuple[ItemIndex, Measured]:
    """Build and measure an index of a model whose scores are products of factors.

    The one that is walked by inner product, or, where that does not find enough on the model's own
    users, the better of the two.

    Raises
    ------
    CapabilityError
        The model's scores are no such products.
    MissingDependencyError
        usearch is not installed.
    """
    if not model.scores_are_products:
        raise CapabilityError(
            f"{type(model).__name__} has no factors to index: its scores are no inner products"
        )
    items = np.ascontiguousarray(model._ranking_items(), np.float32)
    users = some_users(model)
    best: tuple[ItemIndex, Measured] | None = None
    for space in SPACES:
        index = ItemIndex.of(items, space)
        measured = index.measure(users, items)
        if best is None or measured.recall > best[1].recall:
            best = index, measured
        if measured.recall >= WANTED:
            break
    assert best is not None
    return best


def some_users(model: Recommender) -> np.ndarray:
    """Vectors of a fixed draw of the model's users, float32[n, d]."""
    n_users = len(model.users_)
    rng = np.random.default_rng(0)
    drawn = np.sort(rng.choice(n_users, min(USERS, n_users), replace=False)).astype(np.int32)
    rows = UserRows(model._user_state(drawn), model._biases.user[drawn], drawn)
    return np.ascontiguousarray(model._ranking_users(rows), np.float32)


def with_length(items: np.ndarray) -> np.ndarray:
    """float32[n, d + 1]: one further dimension, by which all items are equally long."""
    squares = np.einsum("nd,nd->n", items, items, dtype=np.float64)
    last = np.sqrt(np.maximum(squares.max(initial=0.0) - squares, 0))
    return np.column_stack([items, last]).astype(np.float32)


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


def _usearch() -> Any:
    return needed("usearch.index", "an index", "index")
