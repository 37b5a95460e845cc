from __future__ import annotations

from pathlib import Path

from cofilter.core.io import write_json
from cofilter.report.timings import read_timings


def test_both_fits_are_summed(tmp_path: Path) -> None:
    write_json(tmp_path / "mf-dim10.json", {"fit_seconds": 1.5, "refit_seconds": 0.5, "epochs": 9})
    assert read_timings(tmp_path) == {"mf-dim10": 2.0}
    assert read_timings(tmp_path / "absent") == {}
