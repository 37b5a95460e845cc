from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from cofilter.recommender.torch_state import reproducible

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(CUBLAS, raising=False)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def settings() -> tuple[object, ...]:
    return (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        os.environ.get(CUBLAS),
    )


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("strict", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("fails", [False, True])
def test_the_settings_hold_within_and_are_given_back(
    device: str, strict: tuple[bool, bool], fails: bool
) -> None:
    torch.set_num_threads(3)
    torch.use_deterministic_algorithms(strict[0], warn_only=strict[1])
    before = settings()

    def work() -> None:
        with reproducible(1, device):
            workspace = ":4096:8" if device == "cuda" else None
            assert settings() == (1, True, False, workspace)
            if fails:
                raise KeyError

    if fails:
        with pytest.raises(KeyError):
            work()
    else:
        work()
    assert settings() == before


def test_a_workspace_that_somebody_has_chosen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CUBLAS, ":16:8")
    with reproducible(1, "cuda"):
        assert os.environ[CUBLAS] == ":16:8"
    assert os.environ[CUBLAS] == ":16:8"
