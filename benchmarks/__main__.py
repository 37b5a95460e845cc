"""cofilter against its peers, row by row: ``make bench``.

A row whose result is there is skipped, so an interrupted run continues where it stopped. Results
are JSON files in benchmarks/results/; docs/benchmarks.md is made from them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.data import ROOT, path_of, ready
from benchmarks.row import SIZES, Row, Size, folder_of
from benchmarks.rows import ROWS
from benchmarks.runner import run_row
from benchmarks.table import write_table

TABLE = ROOT / "docs/benchmarks.md"


def dataset(name: str) -> Path:
    """A dataset's folder; it is made in a process of its own, so that this one stays small."""
    if not ready(name):
        print(f"  making {name}", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.data", name], check=True, cwd=ROOT)
    return path_of(name)


def run(row: Row, size: Size, results: Path) -> bool:
    """Run one row; a failure is reported and gives False."""
    print(f"{row.name} ({size})", flush=True)
    started = time.monotonic()
    try:
        run_row(row, size, results, dataset, lambda text: print(text, flush=True))
    except Exception as error:  # noqa: BLE001 - whatever it was, the other rows go on
        print(f"  FAILED: {type(error).__name__}: {error}", flush=True)
        return False
    print(f"  {(time.monotonic() - started) / 60:.1f} min", flush=True)
    return True


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("make bench ARGS=…", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all of them when none is named")
    parser.add_argument("--size", choices=SIZES, default="full", help="20 M, 2 M or toy ratings")
    parser.add_argument("--quick", dest="size", action="store_const", const="quick")
    parser.add_argument("--smoke", dest="size", action="store_const", const="smoke")
    parser.add_argument("--again", action="store_true", help="also rows that have a result")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--table", action="store_true", help="write the table again and stop")
    told = parser.parse_args()
    unknown = sorted(set(told.rows) - ROWS.keys())
    if unknown:
        parser.error(f"{unknown[0]!r} is not a row ({', '.join(ROWS)})")
    return told


def main() -> None:
    """Run what is asked for and still missing, then write the table."""
    told = options()
    if told.list:
        print("\n".join(ROWS))
        return
    results = folder_of(ROOT, told.size)
    failed = []
    for name in () if told.table else (told.rows or ROWS):
        if (results / f"{name}.json").exists() and not told.again:
            print(f"{name} ({told.size}): done before (--again runs it again)")
        elif not run(ROWS[name], told.size, results):
            failed.append(name)
    if told.size != "smoke":
        write_table(TABLE, ROOT, list(ROWS))
        print(f"table: {TABLE.relative_to(ROOT)}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
