from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import opened
from tests.serving.page.served import folders
from tests.serving.page.visit import Visit
from tests.serving.service import Service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(folders(tmp_path_factory.mktemp("page"))) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, served: Service) -> Iterator[Visit]:
    """The page, just opened; at the end it has complained of nothing and asked nobody else."""
    with opened(browser) as (page, watched):
        arrived = Visit(page, served)
        arrived.go()
        yield arrived
    assert [each for each in watched.complaints if not arrived.expects(each)] == []
    assert watched.hosts == {f"127.0.0.1:{served.port}"}
