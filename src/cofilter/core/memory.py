"""Memory that a method will need, foreseen from shapes and refused before it is allocated."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

from cofilter.core.errors import TooLargeError

GIB = 1 << 30
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
# Names of the limit, of what is used, and of the page cache in it that the system would give back,
# in version 2 of control groups and in version 1.
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free_memory() -> int:
    """Bytes that this process can still take: the least that any of its limits leaves.

    These are the machine's free memory; those of its control groups (containers, Slurm, systemd),
    each with the groups around it; and its own limits of address space and data (``ulimit``).
    """
    left = [psutil.virtual_memory().available, *left_in_cgroups(CGROUPS, OWN_CGROUPS)]
    used = psutil.Process().memory_info()
    data = getattr(used, "data", 0)  # not told everywhere
    for limit, taken in ((resource.RLIMIT_AS, used.vms), (resource.RLIMIT_DATA, data)):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            left.append(soft - taken)
    return max(0, min(left))


def left_in_cgroups(mounted: Path, own: Path) -> Iterator[int]:
    """What each control group with a limit leaves, in bytes.

    Parameters
    ----------
    mounted:
        Where the system shows control groups.
    own:
        The file that names those of this process, a line ``number:controllers:path`` each. In a
        container the path may be that of the host, where only the top folder is to be seen.
    """
    lines = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = mounted / controllers
        inner = top / path.lstrip("/")
        for folder in dict.fromkeys((inner, *inner.parents, top)):
            if folder == top or top in folder.parents:
                yield from _left(folder)


def _left(folder: Path) -> Iterator[int]:
    for limit, used, cache in _FILES:
        with contextlib.suppress(FileNotFoundError, ValueError):  # "max": no limit
            most = int((folder / limit).read_text(encoding="utf-8"))
            taken = int((folder / used).read_text(encoding="utf-8"))
            listed = (folder / "memory.stat").read_text(encoding="utf-8").split()
            given_back = int(dict(zip(listed[::2], listed[1::2], strict=True)).get(cache, 0))
            yield most - taken + given_back


def require_memory(needed: int, what: str, advice: str) -> None:
    """Stop when ``needed`` bytes are not free.

    Parameters
    ----------
    needed:
        Bytes of the largest moment, counted from shapes and dtypes.
    what:
        What they are for, such as ``"EASE's 26,744 × 26,744 matrices"``.
    advice:
        What to do instead.

    Raises
    ------
    TooLargeError
        With both figures.
    """
    free = free_memory()
    if needed > free:
        raise TooLargeError(
            f"{what} need {needed / GIB:,.1f} GiB of memory, {free / GIB:,.1f} are free; {advice}"
        )
