"""Group ``backtest`` of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from cofilter.core.config import Config

Names = Annotated[tuple[str, ...], Field(min_length=1)]


class BacktestConfig(Config):
    """Group ``backtest``.

    Attributes
    ----------
    windows:
        How many successive windows before the test instant; 0: no backtest.
    share:
        Which share of the rows before the test instant the windows hold together, the last ones;
        see `cofilter.backtest.windows.window_cuts`.
    methods:
        Which points of the sweep take part: ``kinds`` (one point a family and kind, see
        `cofilter.backtest.methods.backtest_points`), ``points`` (all of them), or a list of
        family/point. Only what takes part can be chosen by the backtest.
    blend:
        Whether the blend of these methods takes part as well. Until a window is done, the models of
        its methods lie under checkpoints/.
    without:
        Families, or family/kind, that do not take part unless ``methods`` names them. By default
        those whose fits cost more than all others together: on MovieLens 100K two thirds of the
        time.
    """

    windows: NonNegativeInt = 5
    share: float = Field(default=0.6, gt=0, lt=1)
    methods: Literal["kinds", "points"] | Names = "kinds"
    blend: bool = True
    without: tuple[str, ...] = ("ncf", "bayes", "mf/item_centred")
