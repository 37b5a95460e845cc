from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stages.deps import closure, update

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_exactly_what_it_imports(name: str) -> None:
    deps = {dep for dep in STAGES[name]["deps"] if dep.startswith("src/")}
    found = closure(ROOT / "src" / "stages" / f"{name}.py", ROOT / "src")
    assert deps == {path.relative_to(ROOT).as_posix() for path in found}


def test_updating_changes_nothing_that_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert update(text) == text
    spoilt = text.replace("      - src/cofilter/errors.py\n", "      - src/cofilter/none.py\n")
    assert spoilt != text
    assert update(spoilt) == text


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(found: set[Path], src: Path) -> set[str]:
    return {path.relative_to(src).as_posix() for path in found}


def test_closure_follows_imports_of_every_form(tmp_path: Path) -> None:
    src = tree(
        tmp_path,
        {
            "main.py": "import a.one\nfrom a import two\nfrom a.three import x\nimport json\n",
            "a/__init__.py": "",
            "a/one.py": "from b import deep\n",
            "a/two.py": "def f():\n    from a import late\n",
            "a/three.py": "x = 1\n",
            "a/late.py": "import main\n",
            "a/unused.py": "",
            "b/__init__.py": "y = 1\n",
            "b/deep.py": "",
        },
    )
    found = names(closure(src / "main.py", src), src)
    assert found == {
        "main.py",
        "a/one.py",
        "a/two.py",
        "a/three.py",
        "a/late.py",
        "b/__init__.py",
    } | (
        {"b/deep.py"} & found  # empty files hold nothing to depend on
    )


def test_imports_for_type_checking_do_not_count(tmp_path: Path) -> None:
    guarded = "import typing\nif typing.TYPE_CHECKING:\n    import a\nimport b\n"
    src = tree(tmp_path, {"main.py": guarded, "a.py": "x = 1\n", "b.py": "x = 1\n"})
    assert names(closure(src / "main.py", src), src) == {"main.py", "b.py"}


def test_what_draws_the_report_does_not_count(tmp_path: Path) -> None:
    """Its page is no output of DVC's, and what it alone imports changes no output either."""
    src = tree(
        tmp_path,
        {
            "main.py": "import cofilter.evaluation.report.page\nimport cofilter.evaluation.score\n",
            "cofilter/evaluation/score.py": "x = 1\n",
            "cofilter/evaluation/terminal.py": "x = 1\n",
            "cofilter/evaluation/report/page.py": "import cofilter.evaluation.terminal\n",
        },
    )
    assert names(closure(src / "main.py", src), src) == {"main.py", "cofilter/evaluation/score.py"}
