"""Check that a training fits in this machine's memory, before anything large is built."""

import os
import platform
from contextlib import suppress
from pathlib import Path

from strag.errors import StragError, bad_usage
from strag.training.plan import memory_parts
from strag.words import amount

GROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc")
REMEDIES = {  # by the part that needs the most memory
    "networks": "use fewer examples (`size` of 'strag data') or narrower layers (`width`)",
    "runs": "train fewer `runs` at a time",
    "workers": "use fewer `workers`",
    "records": "record and test less often (`record_every`, `test_every`)",
}


def require_memory(recipe, size, limit, device="cpu", workers=0):
    """Raise StragError if a training of this Size needs more memory than `limit` GiB, or than is free.

    limit : GiB, or None for no limit. On a graphics card, the networks need none of the machine's memory.
    workers : number of further processes, each of which needs what this one has taken so far, and networks.
    """
    parts = memory_parts(recipe, size)
    if device == "cuda":
        del parts["networks"]
    if workers:
        parts["workers"] = workers * (taken_so_far() + parts.pop("networks", 0))
    more = sum(parts.values())
    remedy = REMEDIES[max(parts, key=parts.get)]
    needed = (taken_so_far() + more) / 2**30
    if limit and needed > limit:
        problem = f"training needs about {needed:.2g} GiB, more than the limit `memory` {limit:g}"
        raise bad_usage(problem, remedy)
    free = free_memory()
    if free is not None and more > free:
        problem = f"not enough memory: training needs about {amount(more)}, but {amount(free)} are free"
        raise StragError(problem, remedy)


def taken_so_far():
    """Peak memory of this process until now, in bytes; 0 if the system does not report it.

    On Linux, `ru_maxrss` starts from the memory of the process that started this one, and VmHWM does not.
    """
    with suppress(OSError, ValueError, StopIteration):
        lines = (PROC / "self" / "status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return 0
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)


def free_memory():
    """Bytes of memory, swap included, that this process may still use: int, or None if that is unknown."""
    known = [_of_the_machine(), *_of_the_groups()]
    return min((size for size in known if size is not None), default=None)


def _of_the_machine():
    """Bytes that are free on the machine; without /proc all its bytes, or None."""
    try:
        lines = (PROC / "meminfo").read_text().splitlines()
        sizes = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
        return 1024 * (sizes["MemAvailable"] + sizes.get("SwapFree", 0))
    except (OSError, ValueError, KeyError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _of_the_groups():
    """Bytes that the control groups (version 1 or 2) of this process allow, from its own to the outermost."""
    try:
        lines = (PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, *names = (GROUPS / "memory", "limit_in_bytes", "usage_in_bytes") if controllers else (
            GROUPS, "max", "current"
        )  # fmt: skip
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):
            yield _left(root.joinpath(*parts[:depth]), *names)


def _left(group, limit, usage):
    """The limit of a control group minus its usage, or None without a limit. Cached files count as free.

    limit, usage : names of the files, without `memory.`, that hold them.
    """
    try:
        allowed, used = (int((group / f"memory.{name}").read_text()) for name in (limit, usage))
        lines = (group / "memory.stat").read_text().splitlines()
        stat = {name: int(value) for name, value in (line.split() for line in lines)}
    except (OSError, ValueError):  # the group does not exist, or its limit is "max"
        return None
    cached = sum(stat.get(name, 0) for name in ("inactive_file", "active_file"))
    return max(0, allowed - used + cached)
