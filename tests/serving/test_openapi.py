"""Schemathesis calls every operation of the OpenAPI document with what it allows and forbids."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.serving.service import Service

CHECKS = schemathesis.checks
# Whether a request that its schema allows is also answered is left out: which ids there are, and
# what scale ratings have, is the models' and stands in no schema.
LEFT_OUT = {"positive_data_acceptance"}


@pytest.fixture(scope="module")
def document(service: Service) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(
    max_examples=25,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_breaks_the_document(case: schemathesis.Case) -> None:
    chosen = [each for each in CHECKS.CHECKS.get_all() if each.__name__ not in LEFT_OUT]
    case.call_and_validate(checks=chosen)


def test_every_path_is_documented(service: Service) -> None:
    paths = service.ok("/openapi.json")["paths"]
    assert set(paths) == {
        "/recommend", "/batch", "/predict", "/similar", "/explain", "/search", "/rate",
        "/models", "/health", "/ready", "/metrics", "/openapi.json",
    }  # fmt: skip
    assert "docs" not in Path(service.url).parts
