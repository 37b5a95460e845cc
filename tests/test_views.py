"""DVC's own views and the last lines of a run, in a real repository."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import vl_convert

from tests.checkout import MF, SMALL, Checkout, Finished, errors, ran
from tests.composition import compose

METRICS = "results/metrics.json"
SCREEN = 160


def committed(checkout: Checkout, message: str = "run") -> None:
    for arguments in (("add", "."), ("commit", "--quiet", "-m", message)):
        assert checkout.run("git", *arguments).returncode == 0


def made(checkout: Checkout, target: str, *arguments: str) -> Finished:
    """Run a target of the Makefile in the environment that is there."""
    return checkout.run("make", target, "READY=", "VENV=/none", *arguments)


def changed_ndcg(checkout: Checkout, value: float) -> None:
    path = checkout.path / METRICS
    found = json.loads(path.read_text())
    found["mf"]["ndcg@10"] = found["shipped"]["ndcg@10"] = value
    path.write_text(json.dumps(found))


def test_metrics_are_in_git_and_a_fresh_clone_compares_commits(
    checkout: Checkout, tmp_path: Path
) -> None:
    """Without DVC's cache; of results/ nothing else is in git."""
    committed(checkout)
    tracked = checkout.run("git", "ls-files", "results").stdout.split()
    assert tracked == [METRICS]
    changed_ndcg(checkout, 0.5)
    committed(checkout, "another run")
    clone = Checkout(tmp_path / "clone")
    cloned = checkout.run("git", "clone", "--quiet", str(checkout.path), str(clone.path))
    assert cloned.returncode == 0, cloned.stderr
    found = clone.dvc("metrics", "diff", "HEAD~1", "HEAD").stdout.splitlines()
    assert {line.split()[1] for line in found[1:]} == {"mf.ndcg@10", "shipped.ndcg@10"}
    (table,) = json.loads(clone.dvc("metrics", "show", "--json").stdout).values()
    numbers = table["data"][METRICS]["data"]
    assert numbers["shipped"]["ndcg@10"] == 0.5
    everything = clone.dvc("metrics", "diff", "--all", "HEAD~1").stdout.splitlines()
    assert len(everything) < 50


def test_experiments_fit_a_screen_and_show_what_differs(checkout: Checkout) -> None:
    committed(checkout)
    for name, overrides, value in (
        ("slower", ("mf.lr=0.01",), 0.2),
        ("elsewhere", ("data.name=other", "split=user_temporal", "knn.min_overlap=2"), 0.3),
    ):
        checkout.compose(*overrides)
        changed_ndcg(checkout, value)
        checkout.dvc("exp", "save", "--force", "--name", name)
    done = made(checkout, "experiments")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= SCREEN
    (head,) = (line for line in lines if "Experiment" in line)
    figures = ["shipped.model", "shipped.ndcg@10"]
    assert head.split() == [
        "Experiment",
        *figures,
        "data.name",
        "split.kind",
        "knn.min_overlap",
        "mf.lr",
    ]
    (row,) = (line for line in lines if "[slower]" in line)
    assert row.split()[-6:] == ["ensemble/blend", "0.2", "csv", "global_temporal", "1", "0.01"]


def test_plots_have_titles_and_axes_and_fit_a_screen(finished: Checkout) -> None:
    shown = json.loads(finished.dvc("plots", "show", "--json").stdout)["data"]
    assert shown.keys() == {"comparison", "learning_curves", "rmse_by_dim", "factors"}
    for name, (plot,) in shown.items():
        content = plot["content"]
        chart = json.loads(content) if isinstance(content, str) else content
        title = chart["title"]
        assert (title if isinstance(title, str) else title["text"]).strip(), name
        assert all(chart["encoding"][axis]["title"].strip() for axis in "xy"), name
        chart.pop("usermeta", None)
        svg = vl_convert.vegalite_to_svg(chart)
        size = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
        assert size, name
        assert max(map(float, size.groups())) < 1000, name  # nothing is drawn far outside


@pytest.mark.parametrize("override", ["mf.dim=30", "seed=7"])
def test_an_experiment_with_a_key_of_direct_runs_is_refused_before_any_file_changes(
    override: str, checkout: Checkout
) -> None:
    """The key that does it is named."""
    committed(checkout)
    before, params = checkout.outputs(), (checkout.path / "params.yaml").read_bytes()
    overrides = [part for change in (*SMALL, override) for part in ("-S", change)]
    refused = checkout.run("dvc", "exp", "run", *overrides)
    assert refused.returncode != 0
    assert ran(refused) == []
    (line,) = (each for each in refused.stderr.splitlines() if each.startswith("error: "))
    key, _, value = override.partition("=")
    assert line.startswith(f"error: {key}: {value} has no effect in the pipeline")
    assert f"=[{value}]" in line
    assert checkout.outputs() == before
    assert (checkout.path / "params.yaml").read_bytes() == params


def test_parameters_that_an_experiment_left_are_refused_with_the_way_back(
    checkout: Checkout,
) -> None:
    """By the stage check, before a model is removed; as when params.yaml was edited by hand."""
    before = checkout.model()
    checkout.compose("mf.dim=30")
    refused = checkout.run("dvc", "repro")
    assert refused.returncode != 0
    assert ran(refused) == ["check"]
    line, note = errors(refused)[0], notes(refused)[0]
    assert line.endswith("whose points name the dims: set points.mf.dim=[30]")
    assert note.endswith("; `make params` goes back")
    assert checkout.model() == before


def test_a_failed_experiment_says_what_it_leaves_in_the_parameters(checkout: Checkout) -> None:
    """One that only the data can refuse: DVC has written params.yaml by then."""
    committed(checkout)
    overrides = [part for change in (*SMALL, "filter.k_core=500") for part in ("-S", change)]
    failed = checkout.run("dvc", "exp", "run", *overrides)
    assert failed.returncode != 0
    (note,) = notes(failed)
    assert "filter.k_core" in note
    assert "this experiment set it, and it stays so; `make params` goes back" in note
    (again,) = notes(checkout.run("dvc", "repro"))
    assert "an earlier `dvc exp run -S …` set it, or conf/ was edited since" in again


def notes(finished: Finished) -> list[str]:
    return [line for line in finished.stderr.splitlines() if line.startswith("note: ")]


def test_a_mistyped_key_is_named_by_dvc(finished: Checkout) -> None:
    found = finished.run("dvc", "exp", "run", "--dry", "-S", "mf.dmi=30")
    assert found.returncode != 0
    assert "mf.dmi" in found.stderr


def test_after_a_run_of_other_data_that_did_not_end_no_table_is_shown(checkout: Checkout) -> None:
    shown = made(checkout, "leaderboard")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1] == 'load: cofilter.load("results/ensemble")'
    checkout.compose("split=user_temporal")
    checkout.dvc("repro", "split")
    refused = made(checkout, "leaderboard")
    assert refused.returncode != 0
    assert "ensemble/blend" not in refused.stdout
    (line,) = (each for each in refused.stderr.splitlines() if "split user_temporal" in each)
    assert line.startswith("results is of csv, ")
    assert "split global_temporal" in line


def test_make_repro_ends_with_what_ships_and_with_what_conf_says_otherwise(
    checkout: Checkout,
) -> None:
    done = made(checkout, "repro")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    names = ["data:", "ship:", "gain:", "hits:", "load:", "note:"]
    assert [line[:5] for line in lines[-6:]] == names
    assert " mf (" in lines[-1]


def test_what_no_present_point_names_goes_and_comes_back_from_the_cache(
    checkout: Checkout,
) -> None:
    """Models, checkpoints and timings; a dry run only lists them."""
    before, states = checkout.model(), checkout.checkpoints()
    assert made(checkout, "clean-stale").stdout.split() == ["0.0", "MB", "removed"]
    assert checkout.checkpoints() == states

    checkout.compose("points.mf.dim=[6]")
    listed = made(checkout, "clean-stale", "ARGS=--dry-run")
    assert listed.returncode == 0, listed.stderr
    assert "models/mf/ model of no present point: biased-dim4-seed0" in listed.stdout
    assert "logs/timings/ timing of no present point: mf-biased-dim4-seed0.json" in listed.stdout
    assert "checkpoints/mf/ checkpoint of other data or parameters: " in listed.stdout
    assert listed.stdout.splitlines()[-1].endswith("would be removed")
    assert checkout.model() == before

    assert made(checkout, "clean-stale").returncode == 0
    assert not (checkout.path / "models" / MF).exists()
    assert checkout.checkpoints() == []
    assert (checkout.path / "models" / "knn" / "item").is_dir()
    timings = {path.name for path in (checkout.path / "logs" / "timings").iterdir()}
    assert timings == {"baseline-bias.json", "knn-item.json"}

    checkout.compose()
    back = checkout.dvc("repro", "train_mf")
    assert ran(back) == []
    assert checkout.model() == before


def test_a_checkpoint_of_other_code_or_other_data_is_stale(checkout: Checkout) -> None:
    (code,) = (checkout.path / "src/cofilter/models/mf").glob("fused.py")
    code.write_text(code.read_text() + "\n# changed\n")
    assert "checkpoint of other code" in made(checkout, "clean-stale", "ARGS=--dry-run").stdout
    code.write_text(code.read_text().removesuffix("\n# changed\n"))
    checkout.compose("split=user_temporal")
    checkout.dvc("repro", "split")
    listed = made(checkout, "clean-stale", "ARGS=--dry-run").stdout
    assert "checkpoint of other data or parameters" in listed
    assert "model of no present point" not in listed


SCRIPTS = sorted(
    path.name
    for path in (Path(__file__).parents[1] / "src" / "stages").glob("*.py")
    if '__import__("begin")' in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_the_environment_a_stage_ends_with_one_line(
    script: str, finished: Checkout
) -> None:
    """Python without its site packages has nothing that is installed."""
    python = shutil.which("python")
    assert python
    stopped = finished.run(python, "-S", f"src/stages/{script}")
    assert stopped.returncode == 1
    (line,) = errors(stopped)
    assert line.startswith("error: hydra is not installed for ")
    assert "source .venv/bin/activate" in line
    assert stopped.stdout == ""


def test_every_script_of_dvc_and_make_looks_for_its_environment() -> None:
    root = Path(__file__).parents[1]
    text = (root / "dvc.yaml").read_text() + (root / "Makefile").read_text()
    started = set(re.findall(r"(?:src/stages|\$\{run\})/(\w+\.py)", text)) - {"app.py"}
    started -= {"groups.py", "possible.py"}
    assert started <= set(SCRIPTS)
    assert compose()  # conf/ composes without any of them
