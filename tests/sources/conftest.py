from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.core.errors import SourceError
from cofilter.sources.wheel import fetch_wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that holds ML-100K, from the package index by the user's own pip."""
    try:
        return fetch_wheel("recbole==1.2.1", tmp_path_factory.mktemp("wheel"))
    except SourceError as error:
        pytest.skip(f"the package index does not give recbole==1.2.1: {error}")
