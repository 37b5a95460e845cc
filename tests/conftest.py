from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.checkout import Checkout, ran

STAGES = ["download", "filter", "split", "check", "train_baseline@bias", "train_knn@item"]
STAGES += ["train_mf@biased-4-0", "blend", "leak", "reproduce", "evaluate"]

# A deadline would time the tests: the first call of a kernel compiles it.
settings.register_profile("cofilter", deadline=None)
settings.load_profile("cofilter")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose pipeline has run from nothing; tests that change anything take a copy."""
    checkout = Checkout.make(tmp_path_factory.mktemp("finished") / "checkout")
    assert sorted(ran(checkout.dvc("repro"))) == sorted(STAGES)
    return checkout


@pytest.fixture
def checkout(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout to do anything with."""
    return finished.copy(tmp_path / "checkout")
