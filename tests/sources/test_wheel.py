from __future__ import annotations

from pathlib import Path

import pytest

from cofilter.core.errors import SourceError
from cofilter.sources.wheel import fetch_wheel


def test_a_wheel_that_does_not_exist_gives_pips_own_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        fetch_wheel("recbole==0.0.0.dev987654", tmp_path)
    assert "recbole" in str(caught.value)
    assert not list(tmp_path.iterdir())
