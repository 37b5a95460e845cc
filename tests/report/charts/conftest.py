from __future__ import annotations

from typing import Any

import pytest

from cofilter.report.charts import style


@pytest.fixture(autouse=True)
def checked_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chart of these tests is valid Vega-Lite; the report itself does not check it."""
    drawn = style._svg

    def check_and_draw(chart: Any) -> str:
        chart.to_dict(validate=True)
        return drawn(chart)

    monkeypatch.setattr(style, "_svg", check_and_draw)
