"""What the machine refuses is one line with the path; on real file systems."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cofilter.core.errors import refusal_of_the_machine

WRITE = """
import sys
from pathlib import Path
from cofilter.core.errors import refusal_of_the_machine
from cofilter.core.io import write_bytes
try:
    write_bytes(Path(sys.argv[1]), bytes(1 << 20))
except OSError as error:
    print(refusal_of_the_machine(error))
print(sorted(path.name for path in Path(sys.argv[1]).parent.iterdir()))
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="file systems cannot be mounted here")
@pytest.mark.parametrize(
    ("options", "told"),
    [("size=64k", "the disk is full; make room"), ("ro", "the file system is read-only")],
)
def test_a_disk_that_takes_nothing_is_named_and_keeps_nothing(
    options: str, told: str, tmp_path: Path
) -> None:
    target = tmp_path / "disk" / "model.npz"
    target.parent.mkdir()
    command = f"mount -t tmpfs -o {options} none {target.parent} && exec "
    command += f"{sys.executable} -c '{WRITE}' {target}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, check=True
    )
    line, left = done.stdout.splitlines()
    assert line.startswith(f"{target}: {told}") or options == "ro"
    assert told in line
    assert left == "[]"


def test_memory_that_is_not_there_is_one_line() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 60, np.uint8)
    line = refusal_of_the_machine(caught.value)
    assert line is not None
    assert line.startswith("out of memory (Unable to allocate")


@pytest.mark.parametrize("error", [FileNotFoundError(2, "no", "x"), ValueError(), OSError("x")])
def test_a_mistake_of_the_programme_is_none(error: Exception) -> None:
    assert refusal_of_the_machine(error) is None
