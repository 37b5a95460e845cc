"""Make a file of one's own the project's data: `make own FILE=my/ratings.csv`."""

from __future__ import annotations

if __name__ == "__main__":
    __import__("begin")  # before all other imports: see there

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.prompt import Confirm

from cofilter.core.errors import CofilterError, ConfigError
from cofilter.onboarding import settings
from cofilter.onboarding.shown import show
from cofilter.onboarding.understand import TABLE, merged, understand
from cofilter.report.terminal import terminal
from stages import messages, params
from stages.drift import CONF

YAML_MARKS = tuple("#%|>&*!@`")  # a value that begins so is text


def main(arguments: list[str] | None = None) -> int:
    """File → what it seems to be → one question → conf/ and params.yaml."""
    told = _parser().parse_intermixed_args(arguments)
    try:
        return own(told.file, told.name, _said(told.keys), told.points, yes=told.yes)
    except CofilterError as error:
        messages.one_line(error)
        return 2


def own(file: str, name: str | None, said: dict[str, Any], points: str | None, *, yes: bool) -> int:
    """Read, show, ask, write; the exit status."""
    console, root = terminal(), Path.cwd()
    if points is not None and not (CONF / "points" / f"{points}.yaml").is_file():
        raise ConfigError(f"POINTS: {points!r} is no option of conf/points/")
    name = name or settings.name_of(Path(file))
    known = settings.written(CONF, name)
    said = merged({} if known is None else known, {**said, "path": file})
    kind = said.pop("kind", TABLE)
    found = understand(file, settings.defaults(CONF, kind), said, root)
    show(console, found)
    same = known is not None and found.changes == said
    if not (yes or same or _agreed(file, console)):
        console.print("Nothing is changed. Say what is otherwise, such as "
                      'ARGS="data.columns.user=customer data.scale=[1,5]"')  # fmt: skip
        return 1
    present = settings.default_of(CONF, "split")
    split = settings.split_for(found.obtained.ratings, present, new=known is None)
    settings.write(CONF, name, kind, found.changes)
    settings.make_default(CONF, "data", name)
    settings.make_default(CONF, "split", split)
    if points is not None:
        settings.make_default(CONF, "points", points)
    params.write()
    console.print(
        f"conf/data/{name}.yaml is the project's data now, cut by conf/split/{split}.yaml"
    )
    console.print("Next: make repro")
    return 0


def _agreed(file: str, console: Console) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(f"{file}: nobody is there to ask; YES=1 takes it as it is shown")
    try:
        return Confirm.ask("Is that right?", default=True, console=console)
    except (KeyboardInterrupt, EOFError):  # Ctrl-C, Ctrl-D
        console.print()
        return False


def _said(keys: list[str]) -> dict[str, Any]:
    """``data.columns.user=customer`` as a tree below ``data``."""
    tree: dict[str, Any] = {}
    for each in keys:
        key, equals, value = each.partition("=")
        top, *path = key.split(".")
        if not equals or top != "data" or not path:
            raise ConfigError(f"{each!r}: data.<key>=<value> is expected")
        leaf = _value(value)
        for part in reversed(path):
            leaf = {part: leaf}
        tree = merged(tree, leaf)
    return tree


def _value(text: str) -> Any:
    """A value as YAML has it, but for what YAML wants in quotes: %d/%m/%Y, ``|``, ``#``."""
    if text[:1] in YAML_MARKS:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make own", description=__doc__)
    parser.add_argument("file", help="FILE: ratings, clicks or counts, one row an event")
    parser.add_argument("--name", help="NAME: of the data; else the file's")
    parser.add_argument("--points", help="POINTS: what is trained, such as quick or default")
    parser.add_argument("--yes", action="store_true", help="YES=1: do not ask")
    parser.add_argument("keys", nargs="*", help="ARGS: keys said by hand, data.<key>=<value>")
    return parser


if __name__ == "__main__":
    sys.exit(main())
