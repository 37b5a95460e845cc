"""What a benchmark row is, and what its processes hand back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np

Size = Literal["full", "quick", "smoke"]
SIZES: tuple[Size, ...] = ("full", "quick", "smoke")
OURS = "cofilter"
THREADS = 2


@dataclass(frozen=True)
class Side:
    """One party of a row, measured in processes of its own.

    Attributes
    ----------
    name:
        As the table shows it; ``cofilter`` for ours.
    work:
        ``module:function``. Modules in `benchmarks.peers` run in the peers' environment, others in
        the project's. The function is called as ``function(data, run, **options)``.
    data:
        Name of the dataset by size.
    options, smoke:
        What the function is told; ``smoke`` replaces some of it at that size.
    runs:
        How often, when not as often as the row.
    threads:
        Of OpenMP, BLAS, Numba and torch.
    """

    name: str
    work: str
    data: Mapping[Size, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    smoke: Mapping[str, Any] = field(default_factory=dict)
    runs: int | None = None
    threads: int = THREADS

    @property
    def is_peer(self) -> bool:
        """Whether it runs in the peers' environment."""
        return self.work.startswith("benchmarks.peers.")

    def told(self, size: Size) -> dict[str, Any]:
        """The options at this size."""
        return {**self.options, **(self.smoke if size == "smoke" else {})}


@dataclass(frozen=True)
class Measured:
    """What one side's function gives.

    Attributes
    ----------
    seconds:
        The figure of the row, one or several (an epoch each); the table takes their median.
    facts:
        Anything else that is a number, a text or a list, such as an RMSE.
    arrays:
        What the row compares between sides, such as lists of ids.
    """

    seconds: list[float]
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """One finished process: what it measured and what it took.

    ``warm_seconds`` is the same work on tiny data beforehand: in a side's first process it holds
    the compilation, later only what loading compiled code takes.
    """

    seconds: list[float]
    warm_seconds: float
    peak_gb: float
    facts: dict[str, Any]
    versions: dict[str, str]
    command: str
    arrays: str | None = None  # an .npz file, gone when the row is finished

    def load(self, name: str) -> np.ndarray:
        """One of the arrays that the side handed back."""
        assert self.arrays is not None
        with np.load(self.arrays) as arrays:
            return arrays[name]


Outcomes = Mapping[str, list[Outcome]]


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes
    ----------
    what, bar:
        What is compared and what is to be reached, in words.
    ours, peer:
        The figures as the table shows them.
    ratio:
        What the bar is about; None where it is not a ratio.
    reached:
        Whether the bar is met; None where there is none.
    note:
        Anything a reader must know to read the figures.
    """

    what: str
    bar: str
    ours: str
    peer: str
    ratio: float | None = None
    reached: bool | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """Sides that are run in turn, and how their outcomes become lines of the table.

    Attributes
    ----------
    runs:
        Rounds; a round runs every side once, in order. The smoke size has one.
    """

    name: str
    sides: tuple[Side, ...]
    judge: Callable[[Outcomes], list[Line]]
    runs: int = 5

    def rounds(self, size: Size) -> int:
        """How many rounds at this size."""
        return 1 if size == "smoke" else self.runs


def seconds_of(outcomes: list[Outcome]) -> float:
    """Median over every timing of a side."""
    return median(value for outcome in outcomes for value in outcome.seconds)


def fact_of(outcomes: list[Outcome], name: str) -> float:
    """Median over the processes of a side of one of its facts."""
    return median(float(outcome.facts[name]) for outcome in outcomes)


def folder_of(root: Path, size: Size) -> Path:
    """Where the results of a size lie; those of the smoke size are nobody's record."""
    return root / (".cache/benchmarks/smoke" if size == "smoke" else f"benchmarks/results/{size}")
