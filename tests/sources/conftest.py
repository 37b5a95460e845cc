from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cofilter.core.errors import SourceError
from cofilter.sources.wheel import fetch_wheel
from tests.sources import postgres


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that holds ML-100K, from the package index by the user's own pip."""
    try:
        return fetch_wheel("recbole==1.2.1", tmp_path_factory.mktemp("wheel"))
    except SourceError as error:
        pytest.skip(f"the package index does not give recbole==1.2.1: {error}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database of the tests' own; its password is `postgres.PASSWORD`."""
    reason = postgres.why_not()
    if reason is not None:
        pytest.skip(reason)
    with postgres.server() as url:
        yield url
