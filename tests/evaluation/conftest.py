"""A small log with cold users and items, split by time, and configurations to score it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core.columns import ITEM, RATING, TIMESTAMP, USER
from cofilter.core.parts import Parts
from cofilter.evaluation.config import ColdStartConfig, EvaluateConfig, UncertaintyConfig
from cofilter.preparation.audit import audit
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from cofilter.recommender.bias import BiasConfig
from cofilter.recommender.config import ModelConfig

Audited = tuple[Parts, dict[str, Any]]


def make_ratings(seed: int = 0, n_users: int = 30, n_items: int = 25) -> pd.DataFrame:
    """Users and items appear over time, so that later parts hold cold ones."""
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(n_users * n_items)[: n_users * n_items // 3]
    user, item = pairs // n_items, pairs % n_items
    time = 1_000_000 + 140 * user + 160 * item + rng.integers(0, 2500, len(pairs))
    table = pd.DataFrame(
        {
            USER: user + 100,
            ITEM: item + 7000,
            RATING: rng.integers(1, 11, len(pairs)) / 2,
            TIMESTAMP: time,
        }
    )
    return table.sort_values([TIMESTAMP, USER, ITEM], ignore_index=True)


def make_split() -> SplitConfig:
    return SplitConfig(kind="global_temporal", validation_share=0.15, test_share=0.25)


def make_audited(ratings: pd.DataFrame, split: SplitConfig) -> Audited:
    """The parts of a log and the facts of its audit."""
    instants = split_instants(split, ratings[TIMESTAMP])
    parts, report = split_ratings(ratings, split, instants)
    return parts, audit(parts, instants, split, report["duplicates"])


def make_model_config() -> ModelConfig:
    bias = BiasConfig(user_regularization=5.0, item_regularization=3.0, iterations=5)
    return ModelConfig(scale=(0.5, 5.0), bias=bias)


@pytest.fixture
def ratings() -> pd.DataFrame:
    return make_ratings()


@pytest.fixture
def split() -> SplitConfig:
    return make_split()


@pytest.fixture
def audited(ratings: pd.DataFrame, split: SplitConfig) -> Audited:
    return make_audited(ratings, split)


@pytest.fixture
def parts(audited: Audited) -> Parts:
    return audited[0]


def make_config(**changed: Any) -> EvaluateConfig:
    """A configuration to score by; tests change what they are about."""
    values = {
        "primary": "ndcg@5",
        "k": (2, 5, 50),
        "relevance_threshold": 3.5,
        "min_users": 5,
        "uncertainty": UncertaintyConfig(resamples=500, confidence_level=0.95, seed=0),
        "bands": 3,
        "calibration_bins": 4,
        "diversity_dim": 4,
        "cold_start": ColdStartConfig(revealed=(0, 1, 3), max_users=50, seed=0),
    }
    return EvaluateConfig(**values | changed)


@pytest.fixture
def config() -> EvaluateConfig:
    return make_config()


@pytest.fixture
def model_config() -> ModelConfig:
    return make_model_config()
