"""docs/benchmarks.md, made from the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.row import folder_of

HEAD = """# Benchmarks

Made by `make bench` from the JSON files in [benchmarks/results](../benchmarks/results), which hold
every single timing; do not edit. `make bench` runs the rows that have no result yet, `make bench
ARGS="--again ROW"` runs one again.

- Every side of a row runs in processes of its own, in turn (ours, peer, ours, peer, …), with two
  threads for OpenMP, BLAS, Numba, polars and torch each. Figures are medians over all timings.
- Each process does the same work on a few thousand ratings first, so that compiling and loading
  are not in the figures; what that costs once is in the column "compile".
- Data at 20 M: made-up ratings with the shape of MovieLens 20M (138,493 users, 26,744 items,
  20.0 M ratings) by the project's own generator, cut 90/10 at random: 18.0 M ratings to train on.
  At 2 M: a tenth of the users, the same items, 1.8 M to train on. ml-100k: five random folds.
- Memory is the highest resident size of a process, data and interpreter included.
- Peers live in an environment of their own, `.venv-bench`, as LensKit needs pandas 2.
"""
VERDICT = {True: "yes", False: "**no**", None: ""}


def write_table(target: Path, root: Path, order: list[str]) -> None:
    """Write the page of all finished rows of the full size, then of the quick one."""
    parts = [HEAD]
    for size, title in (("full", "Full size"), ("quick", "Quick: `make bench ARGS=--quick`")):
        folder = folder_of(root, "full" if size == "full" else "quick")
        records = [json.loads(path.read_text()) for name in order
                   if (path := folder / f"{name}.json").exists()]  # fmt: skip
        if records:
            missing = [name for name in order if name not in {r["row"] for r in records}]
            parts += [f"\n## {title}\n", table(records), memory(records), notes(records, missing)]
    target.write_text("\n".join(parts))


def table(records: list[dict[str, Any]]) -> str:
    """One row a line: what, bar, both figures, ratio, whether it is reached."""
    rows = [
        "| what | bar | cofilter | peer | ratio | reached | note |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ]
    for record in records:
        for line in record["lines"]:
            ratio = "" if line["ratio"] is None else digits(line["ratio"])
            cells = (line["what"], line["bar"], line["ours"], line["peer"], ratio)
            rows.append(f"| {' | '.join(cells)} | {VERDICT[line['reached']]} | {line['note']} |")
    return "\n".join(rows)


def memory(records: list[dict[str, Any]]) -> str:
    """One row a side: what ran, how often, median, memory, compilation, versions."""
    rows = [
        "\n### Every side\n",
        "| row | side | threads | processes | median | peak memory | compile | versions |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for record in records:
        for name, side in record["sides"].items():
            compiled = side.get("compile_seconds")
            cells = (
                record["row"],
                name,
                str(side["threads"]),
                str(side["runs"]),
                f"{digits(side['median_seconds'])} s",
                f"{side['peak_gb']:.2f} GB",
                "" if compiled is None else f"{compiled:.1f} s",
                ", ".join(f"{key} {value}" for key, value in side["versions"].items()),
            )
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def notes(records: list[dict[str, Any]], missing: list[str]) -> str:
    """Where and when each row was measured, by which command, and what each side ran."""
    lines = ["\n### How each row was measured\n"]
    for record in records:
        at = record["machine"]
        lines.append(
            f"- **{record['row']}**: `{record['command']}`, {record['minutes']} min, {at['date']}, "
            f"commit {at['commit']}, {at['processor']}, {at['cores']} cores, {at['memory_gb']} GB, "
            f"{at['system']}, Python {at['python']}, load {at['load_before']} before."
        )
        lines += [f"  - {name}: `{side['work']}`" for name, side in record["sides"].items()]
    if missing:
        lines.append(f"\nNot run yet: {', '.join(missing)}.")
    return "\n".join([*lines, ""])


def digits(value: float) -> str:
    """Three significant digits, never in scientific notation."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
