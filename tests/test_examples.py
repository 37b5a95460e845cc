"""The examples in docstrings, run, and the names that the library's face gives."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import cofilter

SRC = Path(__file__).parents[1] / "src"
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
    for path in (SRC / "cofilter").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_the_face_and_what_users_call_have_examples() -> None:
    assert {"cofilter", "cofilter.recommender.base", "cofilter.recommender.ratings"} <= set(
        WITH_EXAMPLES
    )


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_give_what_they_show(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("name", cofilter.__all__)
def test_every_name_of_the_face_is_there(name: str) -> None:
    assert getattr(cofilter, name).__name__ == name


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, cofilter; print(*sorted({'numpy', 'pandas', 'numba'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SRC
    )
    assert done.stdout.strip() == ""
