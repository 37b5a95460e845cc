"""``python -m cofilter.report`` draws results/report.html of this checkout again.

``--if-changed``: only where its tables, logs or the drawing itself have changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cofilter.core import paths
from cofilter.core.errors import CofilterError, refusal_of_the_machine
from cofilter.evaluation.files import REPORT
from cofilter.report.drawn_from import is_current


def main(checkout: Path = Path(), *, if_changed: bool = False) -> int:
    """Draw the page; the exit status, 1 when there are no results."""
    results, root = checkout / paths.RESULTS, paths.main_checkout(checkout)
    if if_changed and is_current(results, root):
        return 0
    from cofilter.report.page import write_report  # with Altair, which takes a second

    try:
        write_report(results, root)
    except (CofilterError, OSError) as error:
        refusal = str(error) if isinstance(error, CofilterError) else refusal_of_the_machine(error)
        if refusal is None:
            raise
        Console(stderr=True).print(Text(refusal), soft_wrap=True)
        return 1
    Console(highlight=False).print(Text(f"report: {results / REPORT}"), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(if_changed="--if-changed" in sys.argv))
