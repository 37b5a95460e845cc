from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cofilter.evaluation.config import EvaluateConfig
from cofilter.models.config import ModelConfig
from cofilter.preparation.parts import Parts
from cofilter.preparation.split import SplitConfig
from tests.evaluation.conftest import make_config
from tests.evaluation.report.evaluated import evaluated


@pytest.fixture
def config() -> EvaluateConfig:
    """One that finds too few users to rank."""
    return make_config(min_users=500)


@pytest.fixture
def results(
    audited: tuple[Parts, dict[str, Any]],
    split: SplitConfig,
    config: EvaluateConfig,
    model_config: ModelConfig,
    tmp_path: Path,
) -> Path:
    """``results`` of a small sweep; its logs lie beside it."""
    return evaluated(audited, split, tmp_path, config, model_config)
