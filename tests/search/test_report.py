from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.trial import TrialState

from cofilter.core.errors import ConfigError
from cofilter.search.job import Job
from cofilter.search.report import (
    configuration,
    origin,
    refuse_to_overwrite,
    summary,
    table,
    target,
)
from cofilter.search.study import SearchStudy
from cofilter.search.trial import Outcome
from tests.search.jobs import GROUP, job

DEFAULT = "kind: biased\ndim: 50\nlr: 0.05\nl2: 0.05\ndevice: ${device}\nkinds:\n  biased: {}\n"


def studied(mine: Job, value: float = 0.5) -> SearchStudy:
    """A study of two trials: the configuration as it is, and a better one."""
    folder = mine.root / "conf" / "mf"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "default.yaml").write_text(DEFAULT)
    study = SearchStudy(mine, "f1")
    trial, _ = study.claim() or pytest.fail("no trial")
    study.finish(trial, Outcome(TrialState.COMPLETE, 0.9, epochs=3))
    trial, _ = study.claim() or pytest.fail("no trial")
    trial.set_user_attr("values", {"lr": 0.02, "kinds.biased.l2": 0.3})
    study.finish(trial, Outcome(TrialState.COMPLETE, value, epochs=7))
    return study


def written(text: str) -> dict[str, Any]:
    assert text.endswith("\n")
    return dict(yaml.safe_load(text))


def test_the_file_holds_the_differences_alone_and_says_where_they_came_from(
    tmp_path: Path,
) -> None:
    study = studied(job(tmp_path, n_trials=2))
    text = configuration(study)
    assert written(text) == {
        "defaults": ["default", "_self_"],
        "lr": 0.02,
        "kinds": {"biased": {"l2": 0.3}},
    }
    assert origin(study) in text
    assert origin(study) == (
        "# mf/biased-dim4: rmse 0.5000 (0.9000 before); trial 1 of 2 of the study small, data f1"
    )
    assert summary(study) == (
        "small: 2 trials (2 complete, 0 pruned, 0 fail); best rmse 0.5000 in trial 1 "
        "(0.9000 before)"
    )


def test_what_is_as_the_default_says_is_left_out(tmp_path: Path) -> None:
    study = studied(job(tmp_path, n_trials=2), value=1.5)  # the first trial stays the best
    assert written(configuration(study)) == {"defaults": ["default", "_self_"]}


def test_what_the_command_line_changed_is_part_of_it(tmp_path: Path) -> None:
    """Except what points and machines set."""
    group = GROUP | {"lr": 0.1, "patience": 3, "kind": "biased", "device": "cpu", "dim": 4}
    study = studied(job(tmp_path, group, n_trials=2))
    assert written(configuration(study)) == {
        "defaults": ["default", "_self_"],
        "lr": 0.02,
        "patience": 3,
        "kinds": {"biased": {"l2": 0.3}},
    }


def test_other_kinds_of_the_file_are_kept_with_their_origins(tmp_path: Path) -> None:
    mine = job(tmp_path, n_trials=2, name="tuned", overwrite=True)
    study = studied(mine)
    other = "# mf/dot-dim8: rmse 0.7000; trial 3 of 9 of the study old, data f0"
    same = "# mf/biased-dim4: rmse 0.8000; trial 2 of 9 of the study older, data f0"
    rest = (
        "defaults:\n- default\n- _self_\nlr: 9\nkinds:\n  dot:\n    l2: 0.1\n  biased:\n    l2: 7\n"
    )
    target(mine).write_text(f"{other}\n{same}\n{rest}")
    refuse_to_overwrite(mine)
    text = configuration(study)
    assert other in text
    assert same not in text
    assert written(text)["kinds"] == {"dot": {"l2": 0.1}, "biased": {"l2": 0.3}}
    assert written(text)["lr"] == 0.02


def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path: Path) -> None:
    mine = job(tmp_path, n_trials=2, name="tuned")
    refuse_to_overwrite(mine)
    studied(mine)
    target(mine).write_text("lr: 1\n")
    with pytest.raises(ConfigError, match=r"conf/mf/tuned\.yaml: exists already; search\.over"):
        refuse_to_overwrite(mine)
    assert target(replace(mine, config=mine.config.model_copy(update={"name": None}))) == (
        tmp_path / "conf" / "mf" / "small.yaml"
    )


def test_the_table_has_a_row_a_trial(tmp_path: Path) -> None:
    mine = job(tmp_path, n_trials=3)
    study = studied(mine)
    trial, _ = study.claim() or pytest.fail("no trial")
    study.finish(trial, Outcome(TrialState.PRUNED, reason="worse"))
    found = table(study)
    assert list(found.columns) == [
        "trial",
        "state",
        "rmse",
        "lr",
        "kinds.biased.l2",
        "epochs",
        "seconds",
        "reason",
    ]
    assert found["state"].tolist() == ["complete", "complete", "pruned"]
    assert found["epochs"].tolist()[:2] == [3, 7]
    assert found["rmse"].isna().tolist() == [False, False, True]
    assert found["reason"].iloc[2] == "worse"
