from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.evaluation.config import EvaluateConfig
from tests.evaluation.conftest import make_config
from tests.report.evaluated import evaluated


@pytest.fixture
def config() -> EvaluateConfig:
    """One that finds too few users to rank."""
    return make_config(min_users=500)


@pytest.fixture
def results(config: EvaluateConfig, tmp_path: Path) -> Path:
    """``results`` of a small sweep; its logs lie beside it."""
    return evaluated(tmp_path, config)
