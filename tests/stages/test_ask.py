from __future__ import annotations

from tests.checkout import Checkout, Finished, errors

# A wrong number, a wrong rating, then five films; the third is rated twice and updated.
ANSWERS = "0\n1\n9\n5\n2\n4\n3\n1\n3\ny\n5\n\n4\n2\n5\n3\n\n"


def interview(checkout: Checkout, answers: str, *overrides: str) -> Finished:
    command = checkout.command("ask", *overrides)
    return checkout.run(*command, answers=answers)


def test_a_person_rates_and_gets_a_list(finished: Checkout) -> None:
    done = interview(finished, ANSWERS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'0': a whole number from 1 to 50 is expected" in done.stdout
    assert "'9': a number from 1 to 5 is expected" in done.stdout
    assert "change it?" in done.stdout
    assert "more ratings are needed" not in done.stdout.split("for you")[1]
    assert "your 5 ratings" in done.stdout
    listed = done.stdout.split("for you")[1].strip().splitlines()
    assert len([line for line in listed if line.strip()[:1].isdigit()]) == 10


def test_an_unknown_model_is_one_clear_line(finished: Checkout) -> None:
    done = interview(finished, "", "ask.model=knn/none")
    assert done.returncode == 2
    (line,) = errors(done)
    assert "knn/none" in line
