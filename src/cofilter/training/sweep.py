"""The methods that a configuration trains, and every reason why one of them cannot be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from cofilter.console import messages
from cofilter.core.config import Config
from cofilter.core.errors import ConfigError, DataError
from cofilter.core.feedback import Feedback
from cofilter.recommender.base import Recommender
from cofilter.training.families import families
from cofilter.training.points import (
    KIND,
    Tree,
    axes_of,
    expected_points,
    make_point,
    refuse_impossible,
)
from cofilter.training.unfit import unfit_reason

LEAST = 2  # users and items in train below which there is nothing to compare


class CommonConfig(Config):
    """Keys outside any group that several stages read.

    Attributes
    ----------
    refit:
        Fit again on train + validation with everything frozen that validation chose.
    device:
        Where models are trained that can be trained on a GPU.
    threads:
        Of our own kernels; they give the same bits for any number.
    """

    refit: bool
    device: Literal["auto", "cpu", "cuda", "mps"]
    threads: int = Field(gt=0)


@dataclass(frozen=True)
class Method:
    """One model that the configuration names.

    Attributes
    ----------
    key:
        Where it is named, such as ``points.mf.kind``.
    name:
        ``family/point``.
    model:
        Not yet fitted.
    """

    key: str
    name: str
    model: Recommender


def methods_of(cfg: Tree) -> list[Method]:
    """Every point of the sweep.

    Raises
    ------
    ConfigError
        No point at all, an unknown family, axis or kind, a value that stands twice, or impossible
        hyper-parameters; the line names the key.
    """
    for family in cfg["points"]:
        _refuse_axes(family, cfg)
    points = expected_points(cfg)
    if not points:
        raise ConfigError(
            "points: no model to train; at least one family needs a value in each of its axes "
            "(such as points.knn.kind=[item])"
        )
    return [
        Method(_key(family, cfg), f"{family}/{point}", make_point(family, point, cfg))
        for family, point in points
    ]


def fit_methods(methods: Sequence[Method], feedback: Feedback, *, timed: bool) -> list[Method]:
    """Those that the data can train; the others are named in the log, with the reason.

    Raises
    ------
    DataError
        No point of the sweep is left; what ``leak`` compares beside them does not count.
    """
    unfit = {}
    for method in methods:
        reason = unfit_reason(method.model, feedback, timed=timed)
        if reason is not None:
            unfit[method.name] = reason
            messages.left_out(method.name, reason)
    found = [method for method in methods if method.name not in unfit]
    if not any(method.key.startswith("points.") for method in found):
        why = "; ".join(f"{name}: {reason}" for name, reason in unfit.items())
        raise DataError(f"points: no method can be trained on these data ({why})")
    return found


def refuse_unfit(audit: Mapping[str, Any], methods: Sequence[Method]) -> None:
    """Refuse a split that these methods cannot be trained and chosen on, by its audit alone.

    Parameters
    ----------
    audit:
        As `cofilter.preparation.audit.audit` states it.

    Raises
    ------
    DataError
        Train or validation hold too little.
    DeviceError, MissingDependencyError, TooLargeError
        This machine cannot fit one of the methods.
    """
    train, cold = audit["parts"]["train"], audit["cold"]["validation"]
    if min(train["users"], train["items"]) < LEAST:
        raise DataError(
            f"the split's train part is too small to compare methods (ratings: {train['rows']}, "
            f"users: {train['users']}, items: {train['items']}; at least {LEAST} of both are "
            "expected): take more data (data), keep more of it (filter) or cut it otherwise (split)"
        )
    rows = audit["parts"]["validation"]["rows"]
    if rows == 0:
        raise DataError(
            "the split's validation part is empty, and epochs, weights and the model to ship are "
            "chosen on it: a split.validation_share above 0 is expected"
        )
    if cold["rows"] == rows:
        raise DataError(
            f"no validation rating (of {rows}) is by a user and of an item that train knows, so "
            "that nothing can be chosen by them: cut the data otherwise (split)"
        )
    for method in methods:
        method.model.require(
            train["users"] + cold["users"], train["items"] + cold["items"], train["rows"] + rows
        )


def _refuse_axes(family: str, cfg: Tree) -> None:
    if family not in families():
        raise ConfigError(
            f"points.{family}: no such family of models (there are {', '.join(families())})"
        )
    for axis, values in axes_of(family, cfg).items():
        key = f"points.{family}.{axis}"
        for place, value in enumerate(values):
            refuse_impossible(value, family, axis, key)
            if value in values[:place]:
                raise ConfigError(f"{key}: {value!r} stands there twice")


def _key(family: str, cfg: Tree) -> str:
    return f"points.{family}.{KIND}" if KIND in cfg["points"][family] else f"points.{family}"
