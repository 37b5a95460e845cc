"""What a page was drawn from, so that it is drawn anew when, and only when, that has changed.

Times of files do not tell: DVC writes a stage's outputs again when it takes them into its cache.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from cofilter.core.paths import TIMINGS
from cofilter.evaluation.files import REPORT
from cofilter.report.environment import ENVIRONMENT

PACKAGE = Path(__file__).parent
_MARK = re.compile(r'<meta name="drawn-from" content="([0-9a-f]{64})">')
_HEAD = 1000  # characters of a page among which the mark is


def drawn_from(results: Path, root: Path) -> str:
    """SHA-256 of the tables in ``results``, the logs under ``root`` and the code that draws."""
    files = [
        *results.glob("*.csv"),
        *results.glob("*.json"),
        *results.glob("plots/*.csv"),
        *(root / TIMINGS).glob("*.json"),
        *(root / ENVIRONMENT).parent.glob(ENVIRONMENT.name),
        *PACKAGE.rglob("*.py"),
        *PACKAGE.rglob("*.j2"),
    ]
    digest = hashlib.sha256()
    for path in sorted(file.resolve() for file in files):  # however the folders are named
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(results: Path, root: Path) -> bool:
    """Whether ``results``/report.html shows what there is now."""
    page = results / REPORT
    if not page.is_file():
        return False
    with page.open(encoding="utf-8") as text:
        mark = _MARK.search(text.read(_HEAD))
    return mark is not None and mark[1] == drawn_from(results, root)
