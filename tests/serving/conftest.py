from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cofilter.recommender.base import Recommender
from tests.serving.service import Service, models, saved


@pytest.fixture(scope="session")
def fitted() -> dict[str, Recommender]:
    return models()


@pytest.fixture(scope="session")
def folders(
    fitted: dict[str, Recommender], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Folders of the fitted models; tests that change anything take a copy."""
    place = tmp_path_factory.mktemp("served")
    return {name: saved(model, place / name) for name, model in fitted.items()}


@pytest.fixture(scope="session")
def service(folders: dict[str, Path]) -> Iterator[Service]:
    """All models, two workers."""
    with Service(list(folders.values()), {"workers": 2}) as running:
        yield running
