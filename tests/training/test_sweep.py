from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from cofilter.core.errors import CofilterError, DataError, DeviceError, TooLargeError
from cofilter.core.feedback import Feedback
from cofilter.preparation.audit import audit
from cofilter.preparation.split import SplitConfig, split_instants, split_ratings
from cofilter.recommender.base import Recommender
from cofilter.training.families import families, kinds_of
from cofilter.training.points import make_point
from cofilter.training.sweep import Method, fit_methods, refuse_unfit
from cofilter.training.unfit import unfit_reason
from tests.composition import compose

# (user, item, rating, time). With each user's last two rows taken, train knows items 10, 20 and 30,
# and validation has item 40 beside two that train knows.
ORDER = {1: (10, 20, 30, 40), 2: (20, 10, 40, 30), 3: (30, 10, 20, 40)}
ROWS = [
    (user, item, 1 + (user * item // 10) % 5, 10 * place + user)
    for user, items in ORDER.items()
    for place, item in enumerate(items)
]
TEMPORAL = {"kind": "global_temporal", "validation_share": 0.25, "test_share": 0.25}
SHORT = {"epochs": 60, "n_kept": 20, "dim": 2}


def audited(rows: list[tuple[int, ...]], **split: Any) -> dict[str, Any]:
    """The audit of a split; rows of three values have no times."""
    columns = ["user_id", "item_id", "rating", "timestamp"]
    table = pd.DataFrame(rows, columns=columns[: len(rows[0])])
    config = SplitConfig(**split)
    instants = split_instants(config, table.get("timestamp"))
    parts, report = split_ratings(table, config, instants)
    return audit(parts, instants, config, report["duplicates"])


def made(family: str, kind: str, **options: Any) -> Recommender:
    cfg = dict(compose())
    known = {**cfg[family], **cfg[family].get("kinds", {}).get(kind, {})}
    short = {name: value for name, value in SHORT.items() if name in known}
    return make_point(family, kind if len(kinds_of(family)) > 1 else "", cfg, short | options)


def method(model: Recommender) -> Method:
    return Method("points.x.kind", "x/y", model)


@pytest.mark.parametrize(
    ("rows", "split", "told"),
    [
        (
            [(1, 10, 4, 1), (2, 20, 3, 2), (3, 30, 5, 3)],
            TEMPORAL,
            r"too small to compare methods \(ratings: 1, users: 1, items: 1;",
        ),
        (
            [(1, 10, 4, 1), (1, 20, 3, 2), (1, 30, 5, 3), (1, 40, 5, 4)],
            TEMPORAL,
            r"too small .* \(ratings: 2, users: 1, items: 2;",
        ),
        (
            ROWS,
            {"kind": "user_random", "validation_share": 0.0, "test_share": 0.25},
            r"validation part is empty.*split\.validation_share above 0",
        ),
        (
            [(1, 10, 4, 1), (2, 20, 3, 2), (3, 10, 5, 3), (1, 20, 5, 4)],
            TEMPORAL,
            r"no validation rating \(of 1\)",
        ),
    ],
    ids=["three rows", "one user", "no validation", "cold validation"],
)
def test_a_split_that_nothing_can_be_learned_from_is_refused(
    rows: list[tuple[int, ...]], split: dict[str, Any], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        refuse_unfit(audited(rows, **split), [])


def test_a_small_split_is_no_reason() -> None:
    facts = audited(ROWS, kind="leave_last_out")
    refuse_unfit(facts, [method(made("baseline", "recent_popularity")), method(made("mf", "dot"))])


@pytest.mark.parametrize(
    ("family", "kind"), [(family, kind) for family in families() for kind in kinds_of(family)]
)
def test_times_are_needed_by_those_that_say_so(family: str, kind: str) -> None:
    model = made(family, kind)
    table = pd.DataFrame([row[:3] for row in ROWS], columns=["user_id", "item_id", "rating"])
    reason = unfit_reason(model, "ratings", timed=False)
    if model.needs_times:
        with pytest.raises(DataError, match="timestamp"):
            model.fit(table)
        assert reason == "it needs times, and these data have none"
    else:
        model.fit(table)
        assert reason is None
    assert unfit_reason(model, "ratings", timed=True) is None


@pytest.mark.parametrize(
    ("family", "kind"), [(family, kind) for family in families() for kind in kinds_of(family)]
)
@pytest.mark.parametrize("feedback", ["clicks", "counts"])
def test_ratings_are_needed_by_all_that_learn_their_size(
    family: str, kind: str, feedback: Feedback
) -> None:
    model = made(family, kind)
    reason = unfit_reason(model, feedback, timed=True)
    by_amount = (family, kind) == ("ease", "rating")
    assert (reason is None) == ((not model.predicts_ratings or family == "knn") and not by_amount)
    assert reason in (None, f"it learns from ratings, and these data are {feedback}")


def test_what_does_not_fit_the_data_is_named_and_the_rest_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    methods = [method(made("baseline", "bias")), method(made("baseline", "popularity"))]
    methods = [replace(each, name=name) for each, name in zip(methods, ["a/b", "c/d"], strict=True)]
    assert fit_methods(methods, "clicks", timed=True) == methods[1:]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "a/b is left out: it learns from ratings, and these data are clicks"
    with pytest.raises(DataError, match=r"no method can be trained on these data \(a/b: it learns"):
        fit_methods(methods[:1], "clicks", timed=True)
    beside = replace(methods[1], key="leak.methods")
    with pytest.raises(DataError, match="no method can be trained on these data"):
        fit_methods([methods[0], beside], "clicks", timed=True)


@pytest.mark.parametrize(
    ("family", "kind", "options", "error"),
    [
        ("ease", "rating", {"max_gib": 1e-9}, TooLargeError),
        ("mf", "biased", {"device": "cuda"}, DeviceError),
        ("mf", "svdpp", {"device": "cuda", "engine": "torch"}, DeviceError),
        ("ncf", "rating", {"device": "cuda"}, DeviceError),
        ("bayes", "sided", {"dim": 10**10}, TooLargeError),
    ],
)
def test_what_this_machine_cannot_fit_is_refused_as_fit_does(
    family: str,
    kind: str,
    options: dict[str, Any],
    error: type[CofilterError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    model = made(family, kind, **options)
    with pytest.raises(error) as by_fit:
        model.fit(pd.DataFrame(ROWS, columns=["user_id", "item_id", "rating", "timestamp"]))
    with pytest.raises(error) as before:
        refuse_unfit(audited(ROWS, kind="leave_last_out"), [method(model)])
    assert type(before.value) is type(by_fit.value)


def test_items_of_validation_count_since_a_refit_has_them() -> None:
    class Sized(type(made("baseline", "bias"))):  # type: ignore[misc]
        def require(self, n_users: int, n_items: int, n_ratings: int) -> None:
            assert (n_users, n_items, n_ratings) == (3, 4, 9)

    facts = audited(ROWS, kind="leave_last_out")
    assert facts["parts"]["train"]["items"] == 3
    refuse_unfit(facts, [method(Sized())])
