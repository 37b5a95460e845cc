"""The interview, with what people type by mistake."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cofilter
from tests.cli.test_commands import run
from tests.release.films import als, exported, factors, log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("served")
    exported(als(), where / "films")
    exported(factors(), where / "stars")
    clicks = log().assign(rating=1.0)
    exported(cofilter.ImplicitALS(dim=4, epochs=2).fit(clicks), where / "clicks")
    exported(cofilter.BiasBaseline(scale=(1.0, 5.0)).fit(log()), where / "alike")
    return where


def answers(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def test_a_model_that_ranks_everybody_alike_gives_a_list_without_reasons(folder: Path) -> None:
    typed = answers("1", "5", "2", "4", "")
    done = run(folder, "onboard", "-m", "alike", "--at-least", "2", "-k", "3", answers=typed)
    assert done.returncode == 0, done.stderr
    assert "because" not in done.stdout
    assert "\n3\t" in done.stdout


def test_somebody_rates_and_gets_a_list_with_reasons(folder: Path) -> None:
    typed = answers(
        "", "99", "zzzz", "1", "9", "x", "4", "2", "", "2", "5", "3", "5", "4", "1",
        "Film number 21 (1991)", "5", "1", "2", "",
    )  # fmt: skip
    done = run(folder, "onboard", "-m", "stars", "--items", "20", answers=typed)
    assert done.returncode == 0, done.stderr
    for line in (
        "5 more ratings are needed", "99: a number from 1 to 20 is expected",
        "nothing is called 'zzzz'", "rating '9': a number from 1 to 5 is expected",
        "rating 'x': a number from 1 to 5", "now 4", "Enter ends", "your ratings",
    ):  # fmt: skip
        assert line in done.stdout
    told = done.stdout.split("your ratings")[1]
    rated = told.split("\n\n")[0].strip().splitlines()
    assert len(rated) == 5
    assert rated[0].strip().startswith("2 ")  # the second rating of the first item
    assert any("Film number 21" in line for line in rated)
    listed = told.split("\n\n")[1].strip().splitlines()
    assert listed[0].split("\t")[-1] == "because"
    assert len(listed) == 11
    assert all(line.split("\t")[-1] for line in listed[1:])


def test_a_title_that_means_several_is_asked_about(folder: Path) -> None:
    typed = answers("Film number 1", "x", "Film number 1", "", "Film number 1", "2", "5")
    done = run(folder, "onboard", "-m", "stars", "--at-least", "1", answers=typed + "\n")
    assert done.returncode == 0, done.stderr
    assert "which? (Enter: none of these)" in done.stdout
    assert "x: a number from 1 to 9 is expected" in done.stdout
    rated = done.stdout.split("your ratings")[1].split("\n\n")[0].strip().splitlines()
    assert len(rated) == 1


def test_of_clicks_no_rating_is_asked(folder: Path) -> None:
    done = run(folder, "onboard", "-m", "clicks", "--at-least", "2", answers=answers("1", "2", ""))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": taken") == 2
    assert done.stdout.rstrip().count("\n") > 10


def test_counts_have_no_largest_number(folder: Path) -> None:
    """The largest count of the data is not the largest that there can be."""
    counts = log().assign(rating=range(1, len(log()) + 1))
    exported(cofilter.ImplicitALS(dim=4, epochs=2).fit(counts), folder / "counts")
    typed = answers("1", "x", "5000", "")
    done = run(folder, "onboard", "-m", "counts", "--at-least", "1", answers=typed)
    assert done.returncode == 0, done.stderr
    assert "rating 'x': a number is expected" in done.stdout
    assert "5000  Film" in done.stdout
    assert run(folder, "recommend", "-m", "counts", "--rate", "7=inf").returncode == 2


@pytest.mark.parametrize("typed", ["", "1\n", "1\n5\n2", "Film\n"])
def test_the_end_of_the_input_ends_it_politely(typed: str, folder: Path) -> None:
    done = run(folder, "onboard", "-m", "stars", answers=typed)
    assert done.returncode == 130
    assert done.stderr.strip() == "ended"


def test_ctrl_c_ends_it_politely(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "cofilter.cli.main", "onboard", "-m", "stars"],
        cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Of tests in the background of a shell it is ignored, also by what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    while "Film number" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == "ended"
