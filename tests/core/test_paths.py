from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cofilter.core import paths
from cofilter.core.paths import main_checkout

ROOT = Path(__file__).parents[2]


def test_a_folder_is_its_own_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main_checkout() == tmp_path.resolve()
    assert main_checkout(tmp_path / ".dvc" / "tmp") == (tmp_path / ".dvc" / "tmp").resolve()


@pytest.mark.parametrize("inside", ["tmpabc", "standalone/tmpabc", "standalone/tmpabc/deep"])
def test_dvcs_copies_belong_to_the_main_checkout(inside: str, tmp_path: Path) -> None:
    assert main_checkout(tmp_path / ".dvc" / "tmp" / "exps" / inside) == tmp_path.resolve()


def test_outputs_are_dvcs_and_the_rest_is_gits_to_ignore() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outs = [
        next(iter(out)) if isinstance(out, dict) else out
        for s in stages.values()
        for out in s["outs"]
    ]
    for path in (paths.RATINGS, paths.ITEMS, paths.SOURCE, paths.FILTERED, paths.FILTER_REPORT):
        assert str(path) in outs
    assert str(paths.SPLIT) in outs
    for folder in (paths.MODELS, paths.RESULTS):
        assert any(out.startswith(f"{folder}/") for out in outs)
    ignored = (ROOT / ".gitignore").read_text().split()
    for path in (paths.CHECKPOINTS, paths.LOGS, paths.DOWNLOADS):
        top = path.parts[0]
        assert {f"/{top}/", f"{top}/"} & set(ignored)
        assert not any(Path(out).parts[0] == top for out in outs)
