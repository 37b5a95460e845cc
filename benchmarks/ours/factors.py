"""cofilter's factor models."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.dataset import Dataset
from benchmarks.measures import RANKED_USERS, implicit_loss, ndcg, rmse, scale_of
from benchmarks.ours.models import Given, Stopwatch, bits, loaded, make, warm
from benchmarks.row import Measured
from cofilter.recommender.base import Recommender


def epochs(data: Dataset, run: int, family: str, n_epochs: int, **settings: Any) -> Measured:
    """Seconds of each epoch, and a hash of the parameters after the last one."""
    train, _ = loaded(data, run)
    model = make(family, scale_of(data.train(run)), 0, epochs=n_epochs, patience=None, **settings)
    watch = Stopwatch(n_epochs)
    model.fit(warm(train), trainer=watch)
    facts = {"engine": model.engine_, "setup_seconds": watch.setup, "bits": bits(model._arrays())}
    return Measured(watch.epochs, facts | {"loss": watch.losses[-1]})


def curve(data: Dataset, run: int, family: str, n_epochs: int, **settings: Any) -> Measured:
    """Test RMSE after each epoch, beside the time of training until then."""
    train, test = loaded(data, run)
    model = make(family, scale_of(data.train(run)), run, epochs=n_epochs, patience=None, **settings)
    warm(train)
    watch = Stopwatch(n_epochs, watch=True)
    model.fit(train, test, watch)
    facts = {"engine": model.engine_, "curve": watch.curve(), "rmse": watch.watched[-1]}
    return Measured(watch.epochs, facts)


def gibbs(data: Dataset, run: int, draws: int, kept: int, dim: int, **settings: Any) -> Measured:
    """A whole Bayesian fit and its predictions of the test part."""
    train, test = loaded(data, run)
    model = make(
        "bayes", scale_of(data.train(run)), 0, dim=dim, epochs=draws, n_kept=kept, patience=None,
        **settings,
    )  # fmt: skip
    started = time.perf_counter()
    model.fit(warm(train), trainer=Stopwatch(draws))
    predicted = model.predict(test.user, test.item)
    seconds = time.perf_counter() - started
    return Measured([seconds], {"rmse": rmse(test.rating, predicted, model.scale_)})


def implicit_als(
    data: Dataset, run: int, n_epochs: int, alpha: float, regularization: float, **settings: Any
) -> Measured:
    """Seconds of each iteration, and the loss after the last one."""
    train, _ = loaded(data, run)
    model: Any = make(
        "als", scale_of(data.train(run)), run, kind="implicit", epochs=n_epochs, patience=None,
        alpha=alpha, regularization=regularization, **settings,
    )  # fmt: skip
    watch = Stopwatch(n_epochs)
    model.fit(warm(train), trainer=watch)
    ratings = data.train(run)
    confidence = 1 + alpha * ratings.rating
    loss = implicit_loss(model.user_, model.item_, ratings, confidence, regularization)
    return Measured(watch.epochs, {"loss": loss, "setup_seconds": watch.setup})


def bpr(data: Dataset, run: int, n_epochs: int, ranked: bool, **settings: Any) -> Measured:
    """Seconds of each epoch, and NDCG@10 after the last one when it is asked for."""
    train, _ = loaded(data, run)
    model = make("bpr", (0.5, 5.0), run, epochs=n_epochs, patience=None, **settings)
    watch = Stopwatch(n_epochs)
    model.fit(warm(train), trainer=watch)
    return Measured(watch.epochs, {"ndcg": ranking(model, data, run)} if ranked else {})


def ranking(model: Recommender, data: Dataset, run: int) -> float:
    """NDCG@10 of the first users without their training items."""
    train, _ = loaded(data, run)
    n_users = min(len(train.users), RANKED_USERS)
    users = np.arange(n_users)
    lists, _ = model.rank(users, 10, train.by_user[users])
    return ndcg(lists, data.test(run))


def top_10(data: Dataset, run: int, dim: int) -> Measured:
    """Ten best unseen items of every user, from given factors."""
    train, _ = loaded(data, run)
    model = make("mf", (0.5, 5.0), 0, kind="dot", dim=dim)
    model.fit(warm(train), trainer=Given(run))
    users = np.arange(len(train.users))
    started = time.perf_counter()
    items, scores = model.rank(users, 10, train.by_user)
    seconds = time.perf_counter() - started
    return Measured([seconds], {"users": len(users)}, {"items": items, "scores": scores})


def scaling(data: Dataset, run: int, n_epochs: int, dim: int) -> Measured:
    """Nanoseconds a rating of an epoch of MF and of both kinds of ALS."""
    points = {"MF": ("mf", "biased"), "ALS": ("als", "explicit"), "iALS": ("als", "implicit")}
    train = warm(loaded(data, run)[0])
    facts: dict[str, float] = {}
    timed: list[float] = []
    for name, (family, kind) in points.items():
        model = make(family, (0.5, 5.0), 0, kind=kind, dim=dim, epochs=n_epochs, patience=None)
        watch = Stopwatch(n_epochs)
        model.fit(train, trainer=watch)
        facts[name] = float(np.median(watch.epochs)) / len(train) * 1e9
        timed += watch.epochs
    return Measured(timed, facts)


def rankings(data: Dataset, run: int, **points: dict[str, Any]) -> Measured:
    """NDCG@10 of several models; ``points``: family → settings."""
    train, _ = loaded(data, run)
    started = time.perf_counter()
    facts = {}
    for family, settings in points.items():
        model = make(family, scale_of(data.train(run)), run, **settings)
        trainer = Stopwatch(settings["epochs"]) if model.gradient else None
        facts[family] = ranking(model.fit(train, trainer=trainer), data, run)
    return Measured([time.perf_counter() - started], facts)
