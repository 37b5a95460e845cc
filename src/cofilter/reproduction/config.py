"""What a published system claimed, as data, and which procedure measures it again."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from cofilter.core.config import Config

System = Literal[
    "r1_memory_vs_model",
    "r2_biased_mf",
    "r3_implicit",
    "r3_svdpp_grid",
    "r4_notebook",
    "r5_first_principles",
]


class Line(Config):
    """One figure of a system, as one row of the table.

    Attributes
    ----------
    what, metric:
        Name the figure, as the procedure does.
    published:
        The figure as published; None when only the procedure was.
    claim:
        What it was to show; None: the system's own claim.
    data:
        The data set it was published on; None: the system's own.
    model, column:
        ``family/point`` and column of the leaderboard that hold the honest counterpart; empty:
        there is none.
    """

    what: str
    metric: str
    published: float | None = None
    claim: str | None = None
    data: str | None = None
    model: str = ""
    column: str = ""


class ReproduceConfig(Config):
    """Group ``reproduce``.

    Attributes
    ----------
    system:
        Whose published procedure runs; None: nobody's, and the table is empty.
    claim:
        What the system is said to show.
    data:
        Name of the data set that its figures were published on.
    lines:
        Its figures, in the order of the table; what else the procedure measures comes after them.
    procedure:
        Its parameters; each system has a configuration class for them.
    """

    system: System | None
    claim: str
    data: str | None
    lines: tuple[Line, ...]
    procedure: dict[str, Any]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        keys = [(line.what, line.metric) for line in self.lines]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ValueError(f"lines name {twice[0]!r}, {twice[1]!r} twice")
        if self.system is None and (self.lines or self.procedure):
            raise ValueError("lines or procedure without a system")
        return self
