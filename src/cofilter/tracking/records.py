"""What a run holds, written to a `wandb.Run`; wandb's own errors pass through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def define_metrics(run: Any, names: Iterable[str], axis: str) -> None:
    """Have the metrics ``names`` drawn over the metric ``axis``."""
    for name in names:
        run.define_metric(name, step_metric=axis)


def log_table(run: Any, name: str, table: pd.DataFrame) -> None:
    """Log a table; its index is left out, and a missing value becomes None."""
    import wandb

    # NaN in a column of text is a second type to wandb, which refuses a column of two.
    rows: list[Any] = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    run.log({name: wandb.Table(columns=[str(name) for name in table.columns], data=rows)})


def log_artifact(
    run: Any, name: str, type: str, path: Path, aliases: Sequence[str], copy_below: float
) -> None:
    """Log a file or a folder; wandb keeps a copy of its own when it is under that many bytes."""
    import wandb

    artifact = wandb.Artifact(name, type=type)
    policy: Any = "mutable" if size(path) <= copy_below else "immutable"  # mutable: copied first
    if path.is_dir():
        artifact.add_dir(str(path), policy=policy)
    else:
        artifact.add_file(str(path), policy=policy)
    run.log_artifact(artifact, aliases=list(aliases))


def log_page(run: Any, name: str, html: str) -> None:
    """Log HTML. Charts go this way too: `wandb.Image` needs a further library, takes no SVG."""
    import wandb

    run.log({name: wandb.Html(html, inject=False)})


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if not file.is_dir())
