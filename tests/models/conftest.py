from __future__ import annotations

from collections.abc import Iterator

import pytest

from cofilter.recommender.base import Recommender
from tests.models.contract import ratings_table


@pytest.fixture(scope="class")
def fitted_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recommender]:
    """The model of a class of `ModelContract`, fitted on its table; no test changes its arrays."""
    model: Recommender = request.cls().fit(ratings_table())
    folders = [tmp_path_factory.mktemp("fitted") for _ in range(2)]
    model.save(folders[0] / "model")
    yield model
    model.save(folders[1] / "model")
    first, last = ((folder / "model" / "arrays.npz").read_bytes() for folder in folders)
    assert first == last
