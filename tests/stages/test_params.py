from __future__ import annotations

from pathlib import Path

import yaml

from stages.drift import composed, differences
from stages.params import write


def test_what_is_written_is_what_conf_composes_to(tmp_path: Path) -> None:
    target = tmp_path / "params.yaml"
    write(target)
    written = yaml.safe_load(target.read_text(encoding="utf-8"))
    assert list(differences(composed(), written)) == []
    assert list(written) == list(composed())
