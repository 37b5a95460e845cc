"""``python -m cofilter.report`` draws results/report.html of this checkout again."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cofilter.core import paths
from cofilter.core.errors import CofilterError
from cofilter.evaluation.files import REPORT
from cofilter.report.page import write_report


def main(checkout: Path = Path()) -> int:
    """Draw the page; the exit status, 1 when there are no results."""
    results = checkout / paths.RESULTS
    try:
        write_report(results, paths.main_checkout(checkout))
    except CofilterError as error:
        Console(stderr=True).print(Text(str(error)), soft_wrap=True)
        return 1
    Console(highlight=False).print(Text(f"report: {results / REPORT}"), soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
