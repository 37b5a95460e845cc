from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.pruners import MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

from cofilter.core.errors import ConfigError
from cofilter.search.job import Job
from cofilter.search.study import VALUES, SearchStudy, pruner_of
from cofilter.search.trial import Outcome
from tests.search.jobs import GROUP, job


def finish_all(study: SearchStudy) -> None:
    """End every trial with a value that its values give."""
    while claimed := study.claim():
        trial, values = claimed
        study.finish(trial, Outcome(TrialState.COMPLETE, abs(values.get("lr", 0.5) - 0.1)))


def drawn(study: SearchStudy) -> list[dict[str, float]]:
    return [trial.user_attrs[VALUES] for trial in study.trials()]


def test_the_first_trial_is_the_configuration_as_it_is(tmp_path: Path) -> None:
    study = SearchStudy(job(tmp_path), "x")
    finish_all(study)
    assert drawn(study)[0] == {"lr": 0.05, "kinds.biased.l2": 0.05}
    assert len(study.trials()) == 8
    assert study.claim() is None


def test_a_configuration_outside_the_space_is_tried_as_it_is(tmp_path: Path) -> None:
    study = SearchStudy(job(tmp_path, GROUP | {"lr": 0.5}), "x")
    finish_all(study)
    first, *rest = drawn(study)
    assert first == {}
    assert all(0.01 <= values["lr"] <= 0.2 for values in rest)
    assert len(rest) == 7


def test_a_budget_of_seconds_ends_with_the_trial_that_reaches_it(tmp_path: Path) -> None:
    """In two runs; what a trial took is what the study noted."""
    mine = job(tmp_path, n_trials=None, seconds=1.0)
    study = SearchStudy(mine, "x")
    for _ in range(2):
        trial, _ = study.claim() or pytest.fail("no trial")
        study.finish(trial, Outcome(TrialState.COMPLETE, 0.5))
    assert 0 < study.seconds < 1
    trial, _ = study.claim() or pytest.fail("no trial")
    began = trial._trial_id
    with sqlite3.connect(mine.database) as database:
        database.execute(
            "UPDATE trials SET datetime_start = datetime(datetime_start, '-2 seconds') "
            "WHERE trial_id = ?",
            (began,),
        )
    study.finish(trial, Outcome(TrialState.COMPLETE, 0.4))
    again = SearchStudy(mine, "x")
    assert again.seconds > 1
    assert again.claim() is None
    assert len(again.trials()) == 3


def test_a_study_goes_on_in_another_process_as_in_one(tmp_path: Path) -> None:
    """TPE draws by what it has seen, and its seed does not start over."""
    one = SearchStudy(job(tmp_path / "one", n_trials=12), "x")
    finish_all(one)
    for n_trials in (2, 5, 9, 12):
        many = SearchStudy(job(tmp_path / "many", n_trials=n_trials), "x")
        finish_all(many)
        assert len(many.trials()) == n_trials
    assert drawn(many) == drawn(one)
    assert len({tuple(values.items()) for values in drawn(one)}) == 12
    other = SearchStudy(job(tmp_path / "other", n_trials=12, seed=1), "x")
    finish_all(other)
    assert drawn(other)[1:] != drawn(one)[1:]


def test_the_sampler_learns(tmp_path: Path) -> None:
    """The values it draws lie nearer to the best than those it began with."""
    study = SearchStudy(job(tmp_path, n_trials=60, startup_trials=10), "x")
    finish_all(study)
    distance = [abs(values.get("lr", 0.5) - 0.1) for values in drawn(study)]
    assert sum(distance[40:]) / 20 < sum(distance[1:11]) / 10 / 2


def changed(mine: Job) -> dict[str, tuple[Job, str]]:
    config = mine.config
    return {
        "metric": (replace(mine, metric="mae"), "x"),
        "seed": (replace(mine, config=config.model_copy(update={"seed": 9})), "x"),
        "pruner": (replace(mine, config=config.model_copy(update={"pruner": "none"})), "x"),
        "space": (replace(mine, space={"lr": mine.space["lr"]}), "x"),
        "configuration": (job(mine.root, GROUP | {"init_std": 0.5}), "x"),
        "data": (mine, "y"),
    }


@pytest.mark.parametrize("what", ["metric", "seed", "pruner", "space", "configuration", "data"])
def test_a_study_of_something_else_is_refused_by_name(what: str, tmp_path: Path) -> None:
    mine = job(tmp_path)
    SearchStudy(mine, "x")
    with pytest.raises(ConfigError, match=rf"begun with other {what};.*search\.study"):
        SearchStudy(*changed(mine)[what])


def test_trials_of_dead_processes_are_tried_again_in_place(tmp_path: Path) -> None:
    reference = SearchStudy(job(tmp_path / "reference"), "x")
    finish_all(reference)
    study = SearchStudy(job(tmp_path), "x")
    for _ in range(3):
        trial, values = study.claim() or pytest.fail("no trial")
        study.finish(trial, Outcome(TrialState.COMPLETE, abs(values.get("lr", 0.5) - 0.1)))
    _, lost = study.claim() or pytest.fail("no trial")  # and its process dies
    study = SearchStudy(job(tmp_path), "x")
    study.take_back()
    study.take_back()  # a second look finds nothing more
    finish_all(study)
    assert drawn(study) == drawn(reference)
    assert drawn(study)[3] == lost
    states = [trial.state for trial in study.study.trials]
    assert states.count(TrialState.FAIL) == 1
    assert states.count(TrialState.COMPLETE) == 8


def test_one_killed_while_it_was_drawn_is_drawn_in_its_place(tmp_path: Path) -> None:
    reference = SearchStudy(job(tmp_path / "reference"), "x")
    finish_all(reference)
    study = SearchStudy(job(tmp_path), "x")
    trial, _ = study.claim() or pytest.fail("no trial")
    study.finish(trial, Outcome(TrialState.COMPLETE, 0.05))
    study.study.ask()  # no value is drawn any more
    study.take_back()
    finish_all(study)
    assert drawn(study) == drawn(reference)


def test_a_trial_that_kills_its_process_is_given_up(tmp_path: Path) -> None:
    mine = job(tmp_path, n_trials=1)
    for _ in range(3):
        study = SearchStudy(mine, "x")
        study.take_back()
        assert study.claim() is not None
    study.take_back()
    assert study.claim() is None
    (trial,) = study.trials()
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["reason"] == "its process was killed 3 times"
    assert study.seconds == 0  # until it was found dead is not what it took


def test_many_claim_no_more_than_there_are(tmp_path: Path) -> None:
    studies = [SearchStudy(job(tmp_path), "x") for _ in range(4)]
    threads = [threading.Thread(target=finish_all, args=(study,)) for study in studies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(studies[0].study.trials) == 8
    assert studies[0].claim() is None


def test_a_repeat_ends_as_the_first_one_did(tmp_path: Path) -> None:
    study = SearchStudy(job(tmp_path), "x")
    trial, values = study.claim() or pytest.fail("no trial")
    assert study.repeated(values) is None
    study.finish(trial, Outcome(TrialState.COMPLETE, 0.7, epochs=5))
    assert study.repeated(dict(values)) == Outcome(TrialState.COMPLETE, 0.7, epochs=5)
    assert study.repeated(values | {"lr": 0.011}) is None


def test_the_best_is_the_first_of_equals_in_the_metric_s_direction(tmp_path: Path) -> None:
    for metric, expected in (("rmse", 1), ("ndcg@10", 0)):
        mine = replace(job(tmp_path / metric, n_trials=4), metric=metric)
        study = SearchStudy(mine, "x")
        assert study.best() is None
        for value in (0.9, 0.3, 0.3, None):
            trial, _ = study.claim() or pytest.fail("no trial")
            state = TrialState.FAIL if value is None else TrialState.COMPLETE
            study.finish(trial, Outcome(state, value))
        best = study.best()
        assert best is not None
        assert best.number == expected


def test_the_pruner_is_the_configured_one(tmp_path: Path) -> None:
    kinds = {"median": MedianPruner, "halving": SuccessiveHalvingPruner, "none": NopPruner}
    for name, kind in kinds.items():
        assert type(pruner_of(job(tmp_path, pruner=name))) is kind
