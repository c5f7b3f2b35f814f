"""CPU time, the only clock that can be trusted on a shared machine: of code here, and of processes."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


def process(command: Sequence[str], repeats: int = 5) -> float:
    """The least CPU time, in seconds, that a command and its children took."""
    least = float("inf")
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        least = min(least, used)
    return least


def python(code: str, repeats: int = 5) -> float:
    """The least CPU time of this Python running some code."""
    return process([sys.executable, "-c", code], repeats)


def inside(function: Callable[[], object], repeats: int = 5) -> float:
    """The least CPU time of a call in this process."""
    least = float("inf")
    for _ in range(repeats):
        before = time.process_time()
        function()
        least = min(least, time.process_time() - before)
    return least
