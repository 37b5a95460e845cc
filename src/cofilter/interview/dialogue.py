"""The interview on the terminal: what is shown, what is asked, and what is asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

import pandas as pd
from rich import box
from rich.console import Console
from rich.prompt import Confirm, InvalidResponse, PromptBase
from rich.table import Table
from rich.text import Text

from cofilter.core.columns import GENRES, RATING, TITLE
from cofilter.core.errors import DataError
from cofilter.interview.person import Interview


class _Checked(PromptBase[Any]):
    """A prompt whose answer a function reads; what it refuses is asked again."""

    def __init__(self, prompt: str, read: Callable[[str], Any], console: Console) -> None:
        super().__init__(prompt, console=console)
        self.read = read

    def process_response(self, value: str) -> Any:
        """The answer, or a line that says what is wrong with it."""
        try:
            return self.read(value.strip())
        except DataError as error:
            raise InvalidResponse(Text(str(error), style="prompt.invalid")) from None


def hold(interview: Interview, console: Console, stream: TextIO | None = None) -> pd.DataFrame:
    """Ask until the person has rated enough and says so; gives the ratings.

    ``stream`` is where answers are read from; None: the terminal.
    """

    def ask(prompt: str, read: Callable[[str], Any]) -> Any:
        return _Checked(prompt, read, console)(stream=stream)

    console.print(listed(interview.offered, "movies to rate"))
    while True:
        left = f"{interview.missing} more" if interview.missing else "Enter ends"
        number = ask(f"number of a movie ({left})", lambda text: _number_or_end(interview, text))
        if number is None:
            break
        before, title = interview.given(number), interview.title(number)
        question = f"{title} has {before:g} already; change it?" if before is not None else ""
        if question and not Confirm(question, console=console)(default=False, stream=stream):
            continue
        low, high = interview.lowest, interview.highest
        interview.rate(number, ask(f"{title}, {low:g} to {high:g}", interview.rating))
    history = interview.history()
    console.print(listed(history, f"your {len(history)} ratings"))
    return history


def _number_or_end(interview: Interview, text: str) -> int | None:
    """None for an empty answer, which ends the interview once there are enough ratings."""
    if text:
        return interview.number(text)
    if interview.missing:
        raise DataError(f"{interview.missing} more ratings are needed")
    return None


def listed(items: pd.DataFrame, title: str) -> Table:
    """A numbered table of titles and genres, with ratings or predictions where there are any."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    shown.add_column("#", justify="right")
    shown.add_column("title")
    shown.add_column("genres")
    figures = [name for name in (RATING, "predicted", "score") if name in items]
    for name in figures:
        shown.add_column(name, justify="right")
    for number, row in enumerate(items.to_dict("records"), 1):
        genres = str(row[GENRES]).replace("|", ", ")
        shown.add_row(str(number), Text(row[TITLE]), genres, *(f"{row[n]:.2f}" for n in figures))
    return shown
