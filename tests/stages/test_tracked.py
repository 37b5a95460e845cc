from __future__ import annotations

import pytest

from stages.tracked import run_group


def test_the_group_is_dvcs_experiment_or_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    assert run_group(["a", "b"]) == run_group(["a", "b"]) != run_group(["a", "c"])
    assert run_group(["ab"]) != run_group(["a", "b"])
    monkeypatch.setenv("DVC_EXP_NAME", "tidy-otter")
    assert run_group(["a", "b"]) == "tidy-otter"
