"""implicit's `recommend` behind FastAPI: ``python -m benchmarks.peers.implicit_served DIR PORT N``.

The shell that its users write: a checked body, the model's call, an answer; the same server
libraries, processes and answers as cofilter's service, of which it has none of the rest.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI, Response
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import BaseModel
from scipy import sparse

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"


class Asked(BaseModel):
    """One user."""

    user: int
    k: int = 10


def application() -> FastAPI:
    """The shell around a model of the factors and histories in the folder of the environment."""
    folder = Path(os.environ["SERVED"])
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("arrays/*.npy")}
    model = AlternatingLeastSquares(factors=arrays["own_item"].shape[1] - 1, num_threads=1)
    model.user_factors = np.ascontiguousarray(arrays["own_user"][:, :-1])
    model.item_factors = np.ascontiguousarray(arrays["own_item"][:, :-1])
    item = arrays["history_item"]
    parts = np.ones(len(item), np.float32), item, arrays["history_start"]
    shape = len(model.user_factors), len(model.item_factors)
    histories = sparse.csr_matrix(parts, shape=shape)
    names = json.loads((folder / "items.json").read_text())
    titles, genres = names["title"], [text.split("|") for text in names["genres"]]
    app = FastAPI()

    @app.post("/recommend")
    async def recommend(asked: Asked) -> Response:
        ids, scores = model.recommend(asked.user, histories[asked.user], N=asked.k)
        items = [
            {"item": each, "title": titles[each], "genres": genres[each], "score": score}
            for each, score in zip(ids.tolist(), scores.tolist(), strict=True)
        ]
        return Response(json.dumps({"items": items}), media_type="application/json")

    return app


if __name__ == "__main__":
    os.environ["SERVED"] = sys.argv[1]
    uvicorn.run(
        "benchmarks.peers.implicit_served:application",
        factory=True,
        port=int(sys.argv[2]),
        workers=int(sys.argv[3]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
    )
