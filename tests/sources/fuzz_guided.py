"""Files that lead into new code: the reader against Python's `csv`, guided by what was run.

``pip install atheris`` (Linux, Python 3.11), then
``python -m tests.sources.fuzz_guided FOLDER -max_total_time=600 -seed=1``: FOLDER keeps the files
that led somewhere new, and a second run goes on from them. It ends with another status than 0 and
the file, if one gave other rows than the referee without an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

import cofilter.sources.kernels.records  # noqa: F401 - compiled code is not to be guided by

with atheris.instrument_imports(
    include=["cofilter.sources.delimited", "cofilter.sources.encoding", "cofilter.sources.records"]
):
    from tests.sources.fuzz import FORMATS, SEEDS, compare


def one(data: bytes) -> None:
    """A file, and before it a byte that chooses the format."""
    if not data:
        return
    form, content = FORMATS[data[0] % len(FORMATS)], data[1:]
    outcome = compare(content, form)
    if outcome.startswith("WRONG"):
        raise AssertionError(outcome, form, content)


def main() -> None:
    """Put the seeds into the folder that is named first, and fuzz."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(SEEDS):
        for form in range(len(FORMATS)):
            (folder / f"seed-{number}-{form}").write_bytes(bytes([form]) + content)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
