"""A wheel from the package index, fetched by the user's own pip and never installed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from cofilter.core.errors import SourceError


def fetch_wheel(requirement: str, folder: Path) -> Path:
    """Have pip download exactly that wheel into ``folder``; nothing of it is installed or run.

    pip runs with the user's settings (index, proxy, certificates).

    Raises
    ------
    SourceError
        With pip's own last words when it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pip-", dir=folder) as temporary:
        options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, "-d", temporary, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(temporary).glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            raise SourceError(_last_words(done.stderr) or f"pip ended with {done.returncode}")
        return wheels[0].replace(folder / wheels[0].name)


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or [""])[-1].removeprefix("ERROR: ")
