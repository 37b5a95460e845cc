"""Models opened for processes that are forked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cofilter import (
    BPR,
    EASE,
    BayesianFactorization,
    ExplicitALS,
    GraphFilter,
    ItemKNN,
    MatrixFactorization,
    Popularity,
    UserKNN,
)
from cofilter.core.errors import ConfigError, DataError
from cofilter.recommender.base import Recommender
from cofilter.serving.shelf import open_shelf
from tests.serving.service import ratings, saved

OPEN = """
import sys
from pathlib import Path
from numba.np.ufunc import parallel
from cofilter.serving.shelf import open_shelf
shelf = open_shelf([Path(folder) for folder in sys.argv[1:]])
assert len(shelf.models) == len(sys.argv) - 1
assert not parallel._is_initialized
list(shelf.models.values())[0].model.similar_items(1, 3)  # a kernel that is parallel
assert parallel._is_initialized
"""


def test_no_thread_is_started_before_the_fork(tmp_path: Path) -> None:
    """Of models of all families but networks, which are NumPy's alone."""
    table = ratings()
    models: list[Recommender] = [
        ItemKNN(similarity="cosine"), UserKNN(), EASE(kind="rating"), GraphFilter(), Popularity(),
        ExplicitALS(dim=3, epochs=1), BPR(dim=3, epochs=1), MatrixFactorization(dim=3, epochs=1),
        BayesianFactorization(dim=2, epochs=4, burn_in=1),
    ]  # fmt: skip
    folders = [
        saved(model.fit(table), tmp_path / f"{place}-{type(model).__name__}")
        for place, model in enumerate(models)
    ]
    command = [sys.executable, "-c", OPEN, *map(str, folders)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_two_models_of_one_name_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    twin = tmp_path / "ease"
    twin.symlink_to(folders["als"])
    with pytest.raises(DataError, match="is named 'ease' too"):
        open_shelf([folders["ease"], twin])


def test_the_default_is_the_first_or_one_of_them(folders: dict[str, Path]) -> None:
    both = [folders["als"], folders["ease"]]
    assert open_shelf(both).default == "als"
    assert open_shelf(both, "ease").default == "ease"
    with pytest.raises(ConfigError, match="'best' is none of the models als, ease"):
        open_shelf(both, "best")
    with pytest.raises(ConfigError, match="at least one"):
        open_shelf([])
