"""The process that compiles the SVD++ kernel and those that load it from Numba's cache agree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.checkout import PROJECT

FIT = """
import hashlib
import numpy as np
from cofilter.models.mf.kernels.svdpp import Scratch, Step, Tables, step_chunks
from cofilter.models.mf.kernels.svdpp_chunks import chunks_of, columns_of
from cofilter.recommender.sparse import Sparse

rng = np.random.default_rng(0)
n_users, n_items, width = 600, 90, 16
item = [rng.permutation(n_items)[: rng.integers(5, 90)].astype(np.int32) for _ in range(n_users)]
start = np.concatenate([[0], np.cumsum([len(row) for row in item])]).astype(np.int64)
rows = Sparse(start, np.concatenate(item), rng.normal(size=start[-1]).astype(np.float32))
first = chunks_of(start, 15000)
columns = columns_of(rows, first)
normal = lambda n: rng.normal(0, 0.1, (n, width)).astype(np.float32)
zeros = lambda n: np.zeros(n, np.float32)
tables = Tables(normal(n_users), normal(n_items), normal(n_items), zeros(n_users), zeros(n_items))
most = int(np.diff(first).max())
room = Scratch(*np.zeros((2, most, width), np.float32), zeros(most), np.zeros(most))
weight, order = np.ones(n_items, np.float32), np.arange(len(first) - 1)
step = Step(np.float32(0.01), np.float32(0.05))
for _ in range(5):
    loss = step_chunks(order, rows, columns, weight, tables, step, np.uint64(7), room)
print(loss, hashlib.sha256(b"".join(table.tobytes() for table in tables)).hexdigest())
"""


def test_compiled_here_or_loaded_from_the_cache_gives_the_same_bits(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": "src", "NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", FIT],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert list(tmp_path.rglob("svdpp.step_chunks*.nbc"))
    assert printed[0] == printed[1]
