"""What is impossible stops before DVC removes anything: in the check, or while DVC composes it."""

from __future__ import annotations

import sys

import pytest

from cofilter.core.errors import ConfigError
from stages.possible import possible_methods
from tests.checkout import MF, RATINGS, SMALL, Checkout, errors, ran
from tests.composition import CONF, compose

IMPOSSIBLE = [
    ("points.mf.dim=[0]", "points.mf.dim: 0 is not allowed: an integer from 1 up"),
    ("points.mf.dim=[10,20,10]", "points.mf.dim: 10 stands there twice"),
    ("points.mf.dim=10", "points.mf.dim: 10 is not allowed: a list"),
    ("points.knn.kind=[user,best]", "points.knn.kind: 'best' is not allowed: one of user, item"),
    ("points.bpr=null", "points.bpr: None is not allowed: axes with lists"),
    ("+points.bpr.lr=[0.1]", "points.bpr.lr: 0.1 is not allowed: one of the axes kind, dim, seed"),
    ("+points.best={dim: [3]}", "points.best: no such family of models (there are als, baseline"),
    ("seeds=[0,-1]", "points.mf.seed: -1 is not allowed: an integer from 0 up"),
    ("mf.lr=-1", "mf.lr: -1 is not allowed"),
    ("mf.kinds.svdpp.decay=2", "mf.decay: 2"),
    ("blend.folds=1", "blend.folds: 1 is not allowed"),
    ("backtest.windows=-1", "backtest.windows: -1 is not allowed"),
    ("backtest.methods=[knn/best]", "backtest.methods: 'knn/best' is no point of the sweep"),
    ("backtest.without=[best]", "backtest.without: 'best' is not a family of models"),
    ("evaluate.select_on=test", 'evaluate.select_on: "test" is not allowed'),
    ("evaluate.primary=auc", 'primary "auc" is not allowed'),
    ("evaluate.weighted=true", "evaluate.weighted: true, but the rows have no weights"),
    ("leak.rows=0", "leak.rows: 0 is not allowed"),
    (
        "leak.methods=[knn/best]",
        "leak.methods: knn/best: knn.kind: 'best' is not one of user, item",
    ),
    ("leak.methods=[{name: a, method: knn/item, overrides: {k: 0}}]", "leak.methods: a: knn.k: 0"),
    ("reproduce.claim=null", "reproduce.claim: null is not allowed"),
    ("tracking.init_timeout=soon", 'tracking.init_timeout: "soon" is not allowed'),
    ("checkpoint.every_seconds=-1", "checkpoint.every_seconds: -1 is not allowed"),
    ("resume=perhaps", 'checkpoint.resume: "perhaps" is not allowed'),
    ("split.test_share=2", "split.test_share: 2 is not allowed"),
    ("split.duplicates=sum", "split.duplicates: sum gives ratings that are not on data.scale [1.0"),
    ("split=given", "split.kind: given, but ml_100k does not say parts; with data=csv name"),
    ("filter.k_core=-1", "filter.k_core: -1 is not allowed"),
    ("data.kind=tape", 'data.kind: "tape" is not allowed'),
    ("bias.iterations=no", 'bias.iterations: "no" is not allowed'),
    ("refit=perhaps", 'refit: "perhaps" is not allowed'),
    ("device=gpu", 'device: "gpu" is not allowed'),
    ("threads=0", "threads: 0 is not allowed"),
]


@pytest.mark.parametrize(("override", "told"), IMPOSSIBLE, ids=[each for each, _ in IMPOSSIBLE])
def test_the_impossible_is_named(override: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        possible_methods(compose(override))
    assert str(refused.value).removeprefix("evaluate: ").startswith(told)


def test_a_procedure_s_parameters_are_read() -> None:
    with pytest.raises(ConfigError, match=r"reproduce\.procedure\.top_n: 0 is not allowed"):
        possible_methods(compose("reproduce=r2_biased_mf", "reproduce.procedure.top_n=0"))


EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_possible(name: str) -> None:
    assert possible_methods(compose(f"+experiment={name}"))


def test_a_sweep_without_a_point_is_refused() -> None:
    empty = [f"points.{name}.kind=[]" for name in compose()["points"] if name != "bpr"]
    with pytest.raises(ConfigError, match="points: no model to train"):
        possible_methods(compose(*empty, "points.bpr.dim=[]"))


def test_all_methods_are_given_by_name() -> None:
    methods = possible_methods(compose())
    assert {("points.mf.kind", "mf/svdpp-dim20-seed0"), ("points.bpr", "bpr/dim64-seed0")} < {
        (method.key, method.name) for method in methods
    }
    (plain,) = (method for method in methods if method.name == "plain user KNN")
    assert (plain.key, plain.model.config.model_dump()["k"]) == ("leak.methods", 10)


def experiment(checkout: Checkout, *overrides: str) -> tuple[int, str]:
    """Exit code and last line of an experiment that must run no stage."""
    told = [word for override in (*SMALL, *overrides) for word in ("-S", override)]
    done = checkout.run(sys.executable, "-m", "dvc", "exp", "run", *told)
    assert not ran(done)
    (line,) = errors(done)
    return done.returncode, line


@pytest.mark.parametrize("recorded", [True, False], ids=["dvc wrote the models", "copied models"])
def test_an_impossible_experiment_changes_nothing(recorded: bool, checkout: Checkout) -> None:
    """DVC removes models that the parameters no longer name, if its records know them.

    It does so at the start of every experiment, before any stage, in a workspace whose models it
    wrote itself; a copied one has no such record.
    """
    if recorded:
        checkout.dvc("commit", "--force")
    model, before = checkout.path / "models" / MF, checkout.outputs()
    params = (checkout.path / "params.yaml").read_bytes()
    code, line = experiment(checkout, "points.mf.dim=[0]")
    assert (code, line) == (
        2,
        "error: points.mf.dim: 0 is not allowed: an integer from 1 up is expected",
    )
    assert checkout.outputs() == before
    assert (checkout.path / "params.yaml").read_bytes() == params

    checkout.compose("points.mf.dim=[5]")  # a possible one, to see what was at stake
    checkout.run(sys.executable, "-m", "dvc", "checkout", "--force", "--allow-missing")
    assert model.exists() is not recorded
    checkout.compose()
    checkout.dvc("checkout", "--force")
    assert checkout.outputs() == before


def test_an_impossible_experiment_is_not_queued(finished: Checkout) -> None:
    told = [word for override in (*SMALL, "mf.lr=0") for word in ("-S", override)]
    done = finished.run(sys.executable, "-m", "dvc", "exp", "run", "--queue", *told)
    assert (done.returncode, errors(done)[0][:14]) == (2, "error: mf.lr: ")
    assert "queued" not in finished.dvc("queue", "status").stdout.lower()


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("blend.folds=1", "error: blend.folds: 1 is not allowed"),
        ("points.mf.dim=[0]", "error: points.mf.dim: 0 is not allowed"),
    ],
)
def test_impossible_parameters_delete_no_model(
    override: str, told: str, checkout: Checkout
) -> None:
    """params.yaml written by hand: `dvc repro` composes nothing, and the check refuses it."""
    before = checkout.outputs()
    checkout.compose(override)
    refused = checkout.run(sys.executable, "-m", "dvc", "repro")
    assert refused.returncode != 0
    assert told in refused.stderr
    assert ran(refused) == ["check"]
    left = checkout.outputs()
    assert before.keys() - left.keys() == {"data/checked.json"}  # the check's own, a constant
    assert left.items() <= before.items()


@pytest.mark.parametrize(
    ("content", "overrides", "told"),
    [
        (
            "user_id,item_id,rating,timestamp\n1,1,3,100\n2,2,4,200\n3,3,5,300\n",
            (),
            "the split's train part is too small to compare methods (ratings: 1, users: 1, items:",
        ),
    ],
    ids=["three rows"],
)
def test_what_no_method_can_use_is_seen_before_anything_trains(
    content: str, overrides: tuple[str, ...], told: str, checkout: Checkout
) -> None:
    before = checkout.outputs()
    (checkout.path / RATINGS).write_text(content)
    checkout.compose(*overrides)
    refused = checkout.run(sys.executable, "-m", "dvc", "repro")
    assert ran(refused) == ["download", "filter", "split", "check"]
    assert [line for line in errors(refused) if line.startswith(f"error: {told}")]
    left = checkout.outputs()
    results = {name for name in before if not name.startswith("data/")}
    assert all(left[name] == before[name] for name in results)
