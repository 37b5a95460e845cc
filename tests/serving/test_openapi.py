"""Schemathesis calls every operation of the OpenAPI document with what it allows and forbids."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.serving.service import Service

PATHS = (
    "/recommend", "/batch", "/predict", "/similar", "/explain", "/search", "/rate",
    "/models", "/health", "/ready", "/metrics",
)  # fmt: skip
# Whether a request that its schema allows is also answered is left out: which ids there are, and
# what scale ratings have, is the models' and stands in no schema.
LEFT_OUT = {"positive_data_acceptance"}
FEW = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def operations(service: Service) -> dict[str, Any]:
    """Operations of the document by path."""
    document = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    found = (result.ok() for result in document.get_all_operations())
    return {operation.path: operation for operation in found}


def test_every_path_is_documented(operations: dict[str, Any]) -> None:
    assert set(operations) == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_answer_breaks_the_document(
    operations: dict[str, Any], path: str, mode: GenerationMode
) -> None:
    every = schemathesis.checks.CHECKS.get_all()
    checks = [check for check in every if check.__name__ not in LEFT_OUT]
    assert len(checks) > 5

    @FEW
    @given(operations[path].as_strategy(generation_mode=mode))
    def called(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=checks)

    if mode is GenerationMode.NEGATIVE and not operations[path].body:
        pytest.skip("a GET without parameters has nothing that could be wrong")
    called()
