"""The command as a shell starts it, on exported folders and in a pipe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cofilter import (
    EASE,
    BayesianFactorization,
    GlobalMean,
    GraphFilter,
    ImplicitALS,
    ItemKNN,
    RecentPopularity,
)
from cofilter.cli.main import COMMANDS
from cofilter.recommender.base import Recommender
from cofilter.recommender.updates import updated
from cofilter.release.opened import open_model
from tests.release.films import als, exported, factors, log

Finished = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two exported models, `films` and `stars`; the second predicts ratings."""
    where = tmp_path_factory.mktemp("served")
    exported(als(), where / "films")
    exported(factors(), where / "stars", index=True)
    return where


@pytest.fixture(scope="module")
def others(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two more beside them: one without a scale whose ids are texts, and one that cannot rank."""
    where = tmp_path_factory.mktemp("others")
    shutil.copytree(folder, where, dirs_exist_ok=True)
    counts = pd.DataFrame({"user_id": ["u", "u", "v"], "item_id": ["a", "b", "a"], "rating": 3.0})
    for name, model in (("texts", EASE(kind="binary").fit(counts)), ("mean", GlobalMean())):
        fitted = model if name == "texts" else model.fit(log())
        fitted.save(where / name, mapped=True)
    return where


def run(where: Path, *arguments: str, answers: str = "") -> Finished:
    return subprocess.run(
        [sys.executable, "-m", "cofilter.cli.main", *arguments],
        cwd=where, input=answers, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def rows(done: Finished) -> list[dict[str, str]]:
    """What a pipe gets: tab-separated, with a header."""
    assert done.returncode == 0, done.stderr
    header, *lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def test_a_list_is_the_models_in_a_pipe_and_as_json(folder: Path) -> None:
    expected = als().recommend(7, 4)
    piped = rows(run(folder, "recommend", "-m", "films", "--user", "7", "-k", "4"))
    assert [int(row["item"]) for row in piped] == expected[0][0].tolist()
    assert [row["rank"] for row in piped] == ["1", "2", "3", "4"]
    told = json.loads(run(folder / "films", "recommend", "-u", "7", "-k", "4", "--json").stdout)
    assert [row["item"] for row in told] == expected[0][0].tolist()
    assert [row["score"] for row in told] == pytest.approx(expected[1][0].tolist())


def test_somebody_new_rates_and_gets_reasons(folder: Path) -> None:
    given = ("--rate", "Film number 7 (1977)=5", "--rate", "9=4", "--explain", "--json")
    told = json.loads(run(folder, "recommend", "-m", "stars", *given).stdout)
    assert len(told) == 10
    assert not {7, 9} & {row["item"] for row in told}
    assert all(1 <= row["predicted"] <= 5 for row in told)
    assert {title for row in told for title in row["because"]} == {
        "Film number 7 (1977)", "Film number 9 (1979)",
    }  # fmt: skip
    own = run(folder, "recommend", "-m", "films", "--user", "7", "--json").stdout
    same = run(folder, "recommend", "-m", "films", "--user", "7", "--rerank", "mmr=0", "--json")
    assert json.loads(same.stdout) == json.loads(own)
    other = run(folder, "recommend", "-m", "films", "--user", "7", "--rerank", "genres=1", "--json")
    assert json.loads(other.stdout) != json.loads(own)
    without = run(folder, "recommend", "-m", "stars", "--rate", "7=5", "--exclude", "8", "--json")
    assert 8 not in {row["item"] for row in json.loads(without.stdout)}


# Each of them takes a third of a second or more; what a model does not need it does not import.
HEAVY = {"pandas", "numba", "torch", "polars", "pyarrow", "rich", "rapidfuzz"}
PRINT_IMPORTED = f"""
import sys
from cofilter.cli.main import main
main()
print(*sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize(("model", "needed"), [
    (lambda: EASE(kind="rating", scale=(1.0, 5.0)), ""),
    (lambda: GraphFilter(), ""),
    (lambda: RecentPopularity(), ""),
    (lambda: ItemKNN(k=5), "numba"),
    (lambda: ImplicitALS(dim=3, epochs=1), "numba"),
    (lambda: BayesianFactorization(dim=2, epochs=4, burn_in=2), "numba"),
])  # fmt: skip
def test_a_list_for_one_user_imports_nothing_heavy(
    model: Callable[[], Recommender], needed: str, tmp_path: Path
) -> None:
    """And it is what the library gives where all is imported, to the bit."""
    fitted = model().fit(log())
    exported(fitted, tmp_path / "films")
    for command in (
        ["recommend", "--user", "7"],
        *([["similar", "--item", "9"]] if fitted.explains else []),
        *([["explain", "--user", "7", "--item", "9"]] if fitted.explains else []),
        *([["predict", "--user", "7", "--item", "9"]] if fitted.predicts_ratings else []),
    ):
        done = subprocess.run(
            [sys.executable, "-c", PRINT_IMPORTED, *command, "-m", "films", "--json"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert done.stderr.strip() in ("", needed), command
        if command[0] == "recommend":
            items, scores = fitted.recommend(7, 10)
            told = json.loads(done.stdout)
            assert [row["item"] for row in told] == items[0].tolist()
            assert [row["score"] for row in told] == scores[0].tolist()


def test_the_other_questions_are_answered(folder: Path) -> None:
    assert [row["model"] for row in rows(run(folder, "models"))] == ["films", "stars"]
    (row,) = rows(run(folder, "predict", "-m", "stars", "--user", "1", "--item", "9"))
    assert float(row["predicted"]) == pytest.approx(factors().predict(1, 9)[0], abs=1e-4)
    near = rows(run(folder, "similar", "-m", "films", "--item", "9", "-k", "3"))
    assert [int(each["item"]) for each in near] == als().similar_items(9, 3)[0][0].tolist()
    why = rows(run(folder, "explain", "-m", "films", "--user", "7", "--item", "9", "-n", "2"))
    assert [int(each["item"]) for each in why] == als().explain(7, 9, 2)[0][0].tolist()


def test_control_characters_of_a_title_are_shown_and_not_obeyed(folder: Path) -> None:
    done = run(folder, "similar", "-m", "films", "--item", "4", "-k", "30")
    told = run(folder, "recommend", "-m", "films", "--rate", "9", "-k", "30")
    assert "\x1b" not in done.stdout + told.stdout
    assert r"\x1b[2J\x1b[31mred" in told.stdout


@pytest.mark.parametrize(("arguments", "line"), [
    (["recommend", "-m", "films", "--user", "999"], "no user '999' in films, which knows 60 ids"),
    (["recommend", "-m", "films", "--user", "x"], "no user 'x'"),
    (["recommend", "-m", "films"], "who? give --user ID, or --rate"),
    (["recommend", "-m", "films", "--user", "1", "--rate", "3=4"], "who?"),
    (["recommend", "-m", "stars", "--rate", "3"], "ITEM=RATING is expected"),
    (["recommend", "-m", "stars", "--rate", "3=9"], "rating '9': a number from 1 to 5"),
    (["recommend", "-m", "stars", "--rate", "3=nan"], "rating 'nan'"),
    (["recommend", "-m", "films", "--user", "1", "-k", "0"], "0 is not in the range"),
    (["recommend", "-m", "films", "--user", "1", "--rerank", "mmr"], "KIND=STRENGTH is expected"),
    (["recommend", "-m", "films", "--user", "1", "--rerank", "mmr=2"], "--rerank.strength"),
    (["recommend", "-m", "films", "--user", "1", "--rerank", "x=0.1"], "--rerank.kind"),
    (["similar", "-m", "films", "--item", "Film numbr"], "did you mean"),
    (["similar", "-m", "films", "--item", "zzqq"], "no item 'zzqq' in films"),
    (["predict", "-m", "films", "--user", "1", "--item", "3"], "does not predict ratings"),
    (["recommend", "-m", "nothing", "--user", "1"], "no model 'nothing': there are films, mean"),
    (["recommend", "--user", "1"], "nothing says which of the models is the best: films, mean"),
    (["recommend", "-m", "../../etc/passwd", "--user", "1"], "no model"),
    (["ship"], "nothing says which"),
    (["export", "films", "."], "is no exported model"),
    (["update", "films", "none.csv", "out"], "none.csv: file not found"),
    (["nonsense"], "No such command 'nonsense'"),
    (["similar", "-m", "films", "--item", "31mred"], r"did you mean 4 (\x1b[2J\x1b[31mred)?"),
    (["export", "films", "/dev/null"], "/dev/null: Not a directory"),
    (["recommend-all", "films", "/dev/null/x"], "/dev/null"),
    (["compare", "films", "stars", "x", "--relevant-from", "nan"], "'nan' is not a finite number"),
    (["compare", "films", "texts", "x"], "films and texts have ids of two kinds"),
    (["recommend", "-m", "texts", "--rate", "a=1e39"], "rating '1e39': a number is expected"),
    (["onboard", "-m", "mean"], "mean does not rank"),
    (["update", "films", "x", "y", "--columns", "user=a"], "user=NAME,item=NAME"),
    (["serve", "films", "--port", "0", "--state", "/dev/null/x"], "no file for sessions"),
])  # fmt: skip
def test_what_is_wrong_is_one_line_and_status_2(
    arguments: list[str], line: str, others: Path
) -> None:
    done = run(others, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert line in last
    assert "Traceback" not in done.stderr


def test_without_models_it_says_how_to_get_some(tmp_path: Path) -> None:
    done = run(tmp_path, "recommend", "--user", "1")
    assert done.returncode == 2
    assert "`make repro` in a checkout" in done.stderr
    assert run(tmp_path, "models").stdout == ""


def test_new_ratings_are_folded_in_and_a_worse_model_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    new = log().tail(40).assign(user_id=lambda rows: rows["user_id"] + 500)
    new.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "updated"
    done = run(folder, "update", "stars", str(tmp_path / "new.csv"), str(out), "--json")
    (told,) = json.loads(done.stdout)
    assert (told["rows"], told["new_users"]) == (40, new["user_id"].nunique())
    assert [each["model"] for each in told["quality"]] == ["before", "updated", "fitted again"]
    opened = open_model(out)
    expected = updated(factors(), new)
    user = int(new["user_id"].iloc[0])
    assert opened.model.recommend(user, 5)[0].tolist() == expected.recommend(user, 5)[0].tolist()
    written = pd.read_parquet(out / "embeddings" / "users.parquet")["user_id"]
    assert written.tolist() == opened.model.users_.ids.tolist()
    assert opened.card["index"]["recall"] >= 0.99
    assert (out / "index" / "items.usearch").is_file()
    (kept,) = opened.card["updated"]
    assert kept["rows"] == 40
    shop = new.rename(columns={"user_id": "who", "item_id": "what"})
    shop.to_csv(tmp_path / "shop.tsv", index=False, sep=";")
    columns = ("--columns", "user=who,item=what,rating=rating", "--delimiter", ";")
    plain = ("--no-factors", "--no-measure")
    told = str(tmp_path / "shop.tsv"), str(tmp_path / "shop")
    done = run(folder, "update", "stars", *told, *columns, *plain)
    assert done.returncode == 0, done.stderr
    bare = open_model(tmp_path / "shop")
    assert bare.model.data_sha256_ == opened.model.data_sha256_
    assert "index" not in bare.card
    assert not (tmp_path / "shop" / "embeddings").exists()
    later = log().head(300).assign(user_id=lambda rows: rows["user_id"] + 900)
    later.to_csv(tmp_path / "later.csv", index=False)
    noise = log().assign(rating=log()["rating"].sample(frac=1, random_state=0).to_numpy())
    exported(type(factors())(factors().config).fit(noise), tmp_path / "noise")
    worse = run(folder, "compare", "stars", str(tmp_path / "noise"), str(tmp_path / "later.csv"))
    assert worse.returncode == 3
    assert "noise is worse than stars" in worse.stderr
    same = run(folder, "compare", "stars", "stars", str(tmp_path / "later.csv"), "--json")
    assert same.returncode == 0
    assert {row["difference"] for row in json.loads(same.stdout)} == {0.0}


def test_everybodys_list_and_an_export_of_an_export(folder: Path, tmp_path: Path) -> None:
    done = run(folder, "recommend-all", "films", str(tmp_path / "all.parquet"), "-k", "3")
    assert "180 rows for 60 users" in done.stdout
    assert len(pd.read_parquet(tmp_path / "all.parquet")) == 180
    again = run(folder, "export", "films", str(tmp_path / "again"), "--index")
    assert again.returncode == 0, again.stderr
    opened = open_model(tmp_path / "again")
    assert opened.catalogue.titles == open_model(folder / "films").catalogue.titles
    assert opened.card["index"]["recall"] >= 0.99


def test_every_command_has_help_and_the_list_of_them_imports_none() -> None:
    code = (
        "import sys; from cofilter.cli.main import cofilter; "
        "cofilter(['--help'], standalone_mode=False); "
        "assert not {'numpy', 'pandas', 'numba', 'cofilter.release'} & set(sys.modules)"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    for name in COMMANDS:
        assert f"  {name} " in listed.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_says_how_it_is_used(name: str) -> None:
    from click.testing import CliRunner

    from cofilter.cli.main import cofilter

    told = CliRunner().invoke(cofilter, [name, "--help"])
    assert told.exit_code == 0, told.output
    assert told.output.startswith(f"Usage: cofilter {name}")
    # Its first sentence is the line that the list of commands has.
    assert COMMANDS[name][1] in " ".join(told.output.split())


def test_a_closed_pipe_is_no_error(folder: Path) -> None:
    command = f"{sys.executable} -m cofilter.cli.main recommend -m films -u 7 -k 30 | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, capture_output=True, text=True, env=dict(os.environ), check=False,
    )  # fmt: skip
    assert done.stdout.startswith("rank\titem")
    assert done.stderr == ""
