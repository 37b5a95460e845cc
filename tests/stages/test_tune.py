"""A pruned split, and a tuning on it, as they are started; the library's tests have the rest."""

from __future__ import annotations

import json

import pandas as pd

from tests.checkout import Checkout


def test_a_pruned_split_is_tuned_with_one_budget(checkout: Checkout) -> None:
    """Nothing that DVC owns changes by it, and the record is of the split's own rows."""
    checkout.compose("filter.top_items=70", "filter.top_users=140")
    for name in ("filter", "split"):
        done = checkout.stage(name, inside=True)
        assert done.returncode == 0, done.stderr
    data = checkout.path / "data"
    audit = json.loads((data / "split" / "audit.json").read_text())
    removed = pd.read_parquet(data / "removed.parquet")
    pruned = pd.read_parquet(data / "split" / "pruned.parquet")
    assert audit["pruned"]["removed"]["rows"] == len(removed) > len(pruned) > 0
    assert audit["pruned"]["test"]["rows"] == len(pruned)
    assert (pruned["timestamp"] >= audit["instants"]["test"]).all()
    kept, every = (len(pd.read_parquet(data / f"{n}.parquet")) for n in ("filtered", "ratings"))
    assert kept + len(removed) == every

    before = checkout.outputs()
    budget = ("tune.trials=2", "tune.methods=[knn/item,ease/binary]")
    done = checkout.stage("tune", *budget)
    assert done.returncode == 0, done.stderr
    assert "dvc exp run -S knn=tune_csv -S ease=tune_csv" in done.stdout
    assert checkout.outputs() == before
    (records,) = json.loads((checkout.path / "conf" / "tuned.json").read_text()).values()
    metrics = {name: told["metric"] for name, told in records["methods"].items()}
    assert metrics == {"ease/binary": "ndcg@10", "knn/item": "rmse"}
    tables = list((checkout.path / "outputs").rglob("tune-*.csv"))
    assert sorted(len(pd.read_csv(path)) for path in tables) == [2, 2]
