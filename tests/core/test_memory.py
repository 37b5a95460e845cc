from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cofilter.core.errors import TooLargeError
from cofilter.core.memory import GIB, free_memory, left_in_cgroups, require_memory


def test_what_fits_passes_and_what_does_not_is_refused_with_both_figures() -> None:
    require_memory(1, "a byte", "nothing")
    free = psutil.virtual_memory().available
    with pytest.raises(TooLargeError, match=r"^matrices need [\d,]+\.\d GiB .* are free; filter"):
        require_memory(free + 10 * GIB, "matrices", "filter more")


MIB = 1 << 20


def test_the_process_s_own_limit_counts() -> None:
    before = free_memory()
    code = "from cofilter.core.memory import free_memory; print(free_memory())"
    limit = 2 * GIB

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    command = [sys.executable, "-c", code]
    told = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True, check=True)
    assert 0 < int(told.stdout) < min(limit, before)


def group(folder: Path, names: tuple[str, str, str], limit: str, used: int, cache: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{names[2]} {cache}\n")


V2 = ("memory.max", "memory.current", "inactive_file")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


@pytest.mark.parametrize(
    ("names", "own", "top"),
    [(V2, "0::/job/step\n", ""), (V1, "3:cpuset:/\n4:memory:/job/step\n0::/\n", "memory")],
    ids=["version 2", "version 1"],
)
def test_the_limits_of_a_group_and_of_those_around_it_count(
    names: tuple[str, str, str], own: str, top: str, tmp_path: Path
) -> None:
    """Less what the system would give back of the page cache."""
    (tmp_path / "own").write_text(own)
    root = tmp_path / "cgroup" / top
    group(root / "job", names, str(2500 * MIB), 500 * MIB, 100 * MIB)
    group(root / "job" / "step", names, "max", 400 * MIB, 0)
    group(root / "other", names, str(MIB), 0, 0)
    assert list(left_in_cgroups(tmp_path / "cgroup", tmp_path / "own")) == [2100 * MIB]
    assert list(left_in_cgroups(tmp_path / "cgroup", tmp_path / "none")) == []


def test_in_a_container_only_the_top_folder_is_to_be_seen(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/host/docker-1\n")
    group(tmp_path / "cgroup", V2, str(GIB), MIB, 0)
    assert list(left_in_cgroups(tmp_path / "cgroup", tmp_path / "own")) == [GIB - MIB]
