"""Indexes of items by inner product: ``python -m benchmarks.index`` measures and prints its table.

A million made-up item vectors, clustered as factors are, whose lengths are as skewed as those of a
trained model: popularity falls as 1 / rank, and a vector's length grows with its logarithm. Vectors
of equal length would hide what a graph of neighbours does to inner products, so the graph on the
plain inner product is measured too. Every index has the same number of links and the same effort
of building; a search gets the least depth with the wanted recall, or the largest.

- ``voyager``: what `cofilter export --index` writes; its own transform keeps the order;
- ``usearch + length``: USearch on vectors with the further dimension sqrt(M² − |x|²);
- ``faiss + length``: the same by Faiss, as a referee;
- ``faiss, inner product`` and ``usearch, inner product``: a graph on the inner product itself.

The exact side is the kernel that ranks, on one thread. usearch and faiss-cpu are no dependencies of
cofilter: install them for this alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.machine import machine
from cofilter.recommender.kernels.products import PackedItems
from cofilter.release.index import (
    BUILT_WITH,
    DEPTHS,
    LINKS,
    WANTED,
    ItemIndex,
    K,
    exact_best,
    median_milliseconds,
    recall_of,
)

DIM, USERS, CLUSTERS, NOISE = 64, 500, 200, 0.6
Search = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Graph:
    """An index: how it searches, and how its depth is set."""

    search: Search
    set_depth: Callable[[int], None]


def made(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Item vectors float32[n, DIM] with skewed lengths, and user vectors near the same centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLUSTERS, DIM)).astype(np.float32)
    items = centres[rng.integers(CLUSTERS, size=n)]
    items += NOISE * rng.normal(size=(n, DIM)).astype(np.float32)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    popularity = n / (1 + rng.permutation(n))
    items *= (0.1 + np.log1p(popularity) / np.log1p(n)).astype(np.float32)[:, None]
    users = centres[rng.integers(CLUSTERS, size=USERS)]
    users += NOISE * rng.normal(size=(USERS, DIM)).astype(np.float32)
    return items.astype(np.float32), users.astype(np.float32)


def with_length(items: np.ndarray, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One further dimension, by which all items are equally long and keep their order."""
    squares = np.einsum("nd,nd->n", items, items)
    last = np.sqrt(np.maximum(squares.max() - squares, 0)).astype(np.float32)
    zeros = np.zeros((len(users), 1), np.float32)
    return np.column_stack([items, last]), np.column_stack([users, zeros])


def of_voyager(items: np.ndarray) -> Graph:
    """Ours."""
    index = ItemIndex.of(items)

    def set_depth(depth: int) -> None:
        index.depth = depth

    return Graph(index.search, set_depth)


def of_usearch(items: np.ndarray, metric: str = "cos") -> Graph:
    """USearch by cosine distance, or by another metric."""
    from usearch.index import Index

    index = Index(
        ndim=items.shape[1], metric=metric, dtype="f32", connectivity=LINKS,
        expansion_add=BUILT_WITH,
    )  # fmt: skip
    index.add(np.arange(len(items)), items)

    def search(users: np.ndarray, k: int) -> np.ndarray:
        return np.asarray(index.search(users, k, threads=1).keys).reshape(len(users), -1)

    def set_depth(depth: int) -> None:
        index.expansion_search = depth

    return Graph(search, set_depth)


def of_faiss(items: np.ndarray) -> Graph:
    """Faiss's HNSW by inner product."""
    import faiss

    index = faiss.IndexHNSWFlat(items.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILT_WITH
    index.add(items)
    faiss.omp_set_num_threads(1)

    def set_depth(depth: int) -> None:
        index.hnsw.efSearch = depth

    return Graph(lambda users, k: index.search(users, k)[1], set_depth)


def row(name: str, make: Callable[[np.ndarray], Graph], items: np.ndarray, asked: tuple) -> str:
    """A line of the table."""
    users, exact, exact_milliseconds = asked
    started = time.perf_counter()
    graph = make(items)
    seconds = time.perf_counter() - started
    recall, depth = 0.0, 0
    for depth in DEPTHS:
        graph.set_depth(depth)
        recall = recall_of(graph.search(users, K), exact)
        if recall >= WANTED:
            break
    took = median_milliseconds(lambda user: graph.search(user, K), users)
    return (
        f"| {name} | {recall:.4f} | {depth} | {took:.3f} ms | {took / exact_milliseconds:.3f} | "
        f"{seconds:.0f} s |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", help="names of rows")
    options = parser.parse_args()
    items, users = made(options.items)
    packed = PackedItems.of(items)
    exact = exact_best(users, packed, K)
    exact_milliseconds = median_milliseconds(lambda user: exact_best(user, packed, K), users)
    print(f"{options.items:,} items of dim {DIM}, {len(users)} users; {machine()}\n")
    print("| index | recall@10 | depth | one search | of exact | building |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    print(f"| exact, one thread | 1 | | {exact_milliseconds:.3f} ms | 1 | |", flush=True)
    longer, longer_users = with_length(items, users)
    rows = {
        "voyager": (of_voyager, items, users),
        "usearch + length": (of_usearch, longer, longer_users),
        "faiss + length": (of_faiss, longer, longer_users),
        "faiss, inner product": (of_faiss, items, users),
        "usearch, inner product": (partial(of_usearch, metric="ip"), items, users),
    }
    for name, (make, vectors, theirs) in rows.items():
        if not options.only or name in options.only:
            print(row(name, make, vectors, (theirs, exact, exact_milliseconds)), flush=True)


if __name__ == "__main__":
    main()
