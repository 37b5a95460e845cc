"""Indexes of items by inner product: ``python -m benchmarks.index`` measures and prints its table.

A million made-up item vectors, clustered as factors are, whose lengths are as skewed as those of a
trained model: popularity falls as 1 / rank, and a vector's length grows with its logarithm. Every
index has the same number of links and the same effort of building; a search gets the least depth
with the wanted recall, or the largest.

- ``usearch``: what `cofilter export --index` writes, by inner product, and by an angle that keeps
  its order (`cofilter.release.index`);
- ``voyager``: its inner product, which is such an angle inside;
- ``faiss``: both, as a referee.

The exact side is the kernel that ranks, on one thread. voyager and faiss-cpu are no dependencies of
cofilter: install them for this alone.
"""

from __future__ import annotations

import argparse
import os
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
    Space,
    exact_best,
    median_milliseconds,
    recall_of,
    with_length,
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


def of_usearch(items: np.ndarray, space: Space) -> Graph:
    """Ours."""
    index = ItemIndex.of(items, space)
    return Graph(index.search, index.set_depth)


def of_voyager(items: np.ndarray) -> Graph:
    """Voyager by inner product, for which it has a further dimension of its own."""
    import voyager

    space = voyager.Space.InnerProduct
    index = voyager.Index(space, items.shape[1], M=LINKS, ef_construction=BUILT_WITH)
    index.add_items(items)
    depth = [DEPTHS[0]]

    def search(users: np.ndarray, k: int) -> np.ndarray:
        return index.query(users, k, num_threads=1, query_ef=depth[0])[0].astype(np.int64)

    return Graph(search, lambda wanted: depth.__setitem__(0, wanted))


def of_faiss(items: np.ndarray) -> Graph:
    """Faiss's HNSW by inner product."""
    import faiss

    index = faiss.IndexHNSWFlat(items.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILT_WITH
    index.add(items)

    def set_depth(depth: int) -> None:
        index.hnsw.efSearch = depth

    def search(users: np.ndarray, k: int) -> np.ndarray:
        faiss.omp_set_num_threads(1)
        found = index.search(users, k)[1]
        faiss.omp_set_num_threads(os.cpu_count() or 1)  # that the next is built with
        return found

    return Graph(search, set_depth)


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
    longer = with_length(items)
    longer_users = np.column_stack([users, np.zeros((len(users), 1), np.float32)])
    rows: dict[str, tuple[Callable[[np.ndarray], Graph], np.ndarray, np.ndarray]] = {
        "usearch, inner product": (partial(of_usearch, space="inner product"), items, users),
        "usearch, angle": (partial(of_usearch, space="angle"), items, users),
        "voyager": (of_voyager, items, users),
        "faiss, inner product": (of_faiss, items, users),
        "faiss, angle": (of_faiss, longer, longer_users),
    }
    for name, (make, vectors, theirs) in rows.items():
        if not options.only or name in options.only:
            print(row(name, make, vectors, (theirs, exact, exact_milliseconds)), flush=True)


if __name__ == "__main__":
    main()
