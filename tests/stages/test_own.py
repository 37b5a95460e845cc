"""`make own`: a file becomes the project's data, and stays so."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tests.checkout import Checkout, Finished, write_ratings

FILE = "shop/log.csv"


def own(checkout: Checkout, *arguments: str) -> Finished:
    return checkout.run(sys.executable, "src/stages/own.py", *arguments)


def write(checkout: Checkout, seed: int = 0, **renamed: str) -> Path:
    file = checkout.path / FILE
    file.parent.mkdir(exist_ok=True)
    write_ratings(file, seed=seed)
    pd.read_csv(file).rename(columns=renamed).to_csv(file, sep=";", index=False)
    return file


def params(checkout: Checkout) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((checkout.path / "params.yaml").read_text())
    return tree


def test_the_file_becomes_the_project_s_data_and_stays_so(checkout: Checkout) -> None:
    file = write(checkout, user_id="customer", item_id="sku", rating="stars", timestamp="rated_at")
    done = own(checkout, FILE, "--yes")
    assert done.returncode == 0, done.stderr
    data = params(checkout)["data"]
    named = {"user": "customer", "item": "sku", "rating": "stars", "timestamp": "rated_at"}
    assert {key: data["columns"][key] for key in named} == named
    assert (data["name"], data["path"], data["delimiter"]) == ("log", FILE, ";")
    assert (data["scale"], data["relevance_threshold"]) == ([1.0, 5.0], 4.0)
    first = pd.read_csv(file, sep=";").iloc[0]
    assert all(str(first[name]) in done.stdout for name in ("customer", "sku"))
    status = json.loads(checkout.dvc("status", "--json").stdout)
    assert FILE in json.dumps(status["download"])
    checkout.dvc("repro", "split")
    assert json.loads((checkout.path / "data/source.json").read_text())["rows"] == len(
        pd.read_csv(file, sep=";")
    )

    write(checkout, 1, user_id="customer", item_id="sku", rating="stars", timestamp="rated_at")
    newer = file.rename(file.with_name("newer.csv"))
    again = own(checkout, str(newer.relative_to(checkout.path)), "--name", "log")
    assert again.returncode == 0, again.stderr  # nothing but the file differs: nothing is asked
    data = params(checkout)["data"]
    assert (data["name"], data["path"]) == ("log", "shop/newer.csv")


def test_without_an_answer_or_with_a_wrong_key_nothing_changes(checkout: Checkout) -> None:
    write(checkout)
    before = checkout.run("git", "status", "--short").stdout
    for arguments, message in (
        ((FILE,), "YES=1 takes it as it is shown"),
        ((FILE, "--yes", "user=x"), "data.<key>=<value> is expected"),
        ((FILE, "--yes", "data.columns.user=nobody"), "no column nobody"),
        ((FILE, "--yes", "data.scale=[2,5]"), "a number from 2 to 5 is expected"),
        ((FILE, "--yes", "--name", "ml_100k"), "is not written by `make own`"),
        (("nowhere.csv", "--yes"), "no such file"),
        ((FILE, "--yes", "--points", "fast"), "'fast' is no option of conf/points/"),
    ):
        refused = own(checkout, *arguments)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr
        assert message in refused.stderr
    assert checkout.run("git", "status", "--short").stdout == before


def test_clicks_without_times_are_split_at_random(checkout: Checkout) -> None:
    file = write(checkout)
    clicks = pd.read_csv(file, sep=";")[["user_id", "item_id"]]
    clicks.to_csv(file, sep="\t", index=False, header=False)
    done = own(checkout, FILE, "--yes", "--name", "clicks", "--points", "quick")
    assert done.returncode == 0, done.stderr
    assert "kind: clicks" in done.stdout
    found = params(checkout)
    assert found["points"]["knn"] == {"kind": ["item"]}
    assert found["data"]["columns"]["rating"] is None
    assert found["split"]["kind"] == "user_random"
    checkout.dvc("repro", "split")


def test_a_folder_of_parts_is_a_published_split(checkout: Checkout) -> None:
    table = pd.read_csv(write(checkout), sep=";").sample(frac=1, random_state=0)
    folder = checkout.path / "paper"
    folder.mkdir()
    for part, rows in (("train", table[:3000]), ("test", table[3000:])):
        rows.drop(columns="timestamp").to_csv(folder / f"{part}.csv", index=False)
    done = own(checkout, "paper", "--yes", "data.comment=#")
    assert done.returncode == 0, done.stderr
    found = params(checkout)
    assert (found["data"]["path"], found["data"]["comment"]) == ("paper", "#")
    assert found["split"]["kind"] == "given"


def test_a_broken_line_of_json_is_named(checkout: Checkout) -> None:
    (checkout.path / "log.jsonl").write_text('{"user": 1, "item": }\n', encoding="utf-8")
    refused = own(checkout, "log.jsonl", "--yes")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr
    assert "log.jsonl, line 1" in refused.stderr


def test_lists_of_items_are_named_and_taken(checkout: Checkout) -> None:
    file = write(checkout)
    pairs = pd.read_csv(file, sep=";").groupby("user_id")["item_id"]
    lists = [f"{user} {' '.join(map(str, items))}" for user, items in pairs]
    file.write_text("\n".join(lists), encoding="utf-8")
    refused = own(checkout, FILE, "--yes")
    assert refused.returncode == 2
    assert "data.kind=adjacency" in refused.stderr
    done = own(checkout, FILE, "--yes", "data.kind=adjacency")
    assert done.returncode == 0, done.stderr
    data = params(checkout)["data"]
    assert (data["kind"], data["path"]) == ("adjacency", FILE)
    again = own(checkout, FILE)  # known now, so nothing is asked
    assert again.returncode == 0, again.stderr
