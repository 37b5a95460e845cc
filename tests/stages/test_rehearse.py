from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from omegaconf import OmegaConf

from cofilter.models.ease.model import EASE
from stages import rehearse
from stages.app import plain

PARAMS = Path(__file__).parents[2] / "params.yaml"


def test_a_family_goes_through_all_stages_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cfg = plain(OmegaConf.to_container(OmegaConf.load(PARAMS)))
    with (
        patch.object(EASE, "fold_in", autospec=True, side_effect=EASE.fold_in) as served,
        patch.object(rehearse, "evaluate", wraps=rehearse.evaluate) as scored,
    ):
        rehearse.rehearse(cfg, "ease")
    assert scored.called
    assert served.called  # there are newcomers, whose kernels are others
    assert [*tmp_path.iterdir()] == []
    assert capfd.readouterr().out == ""
