from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cofilter.evaluation.config import EvaluateConfig
from tests.evaluation.conftest import make_config
from tests.report.evaluated import evaluated


def few_users() -> EvaluateConfig:
    """One that finds too few users to rank."""
    return make_config(min_users=500)


@pytest.fixture
def config() -> EvaluateConfig:
    return few_users()


@pytest.fixture(scope="session")
def evaluated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``results``, models and logs of a small sweep; tests take copies."""
    return evaluated(tmp_path_factory.mktemp("evaluated"), few_users()).parent


@pytest.fixture
def results(evaluated_once: Path, tmp_path: Path) -> Path:
    """``results`` of a small sweep; its logs lie beside it."""
    shutil.copytree(evaluated_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "results"
