"""Runs a command and says what it took."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Cost(NamedTuple):
    """What a process took, start included."""

    cpu_s: float
    """User and system time of all its threads."""
    wall_s: float
    rss_kb: int
    """The most memory that it had."""


def cost(command: list[str]) -> Cost:
    """Run a command.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command)
    # Unlike `RUSAGE_CHILDREN`, this tells one child from those before it.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss)


def median(costs: Iterable[Cost]) -> Cost:
    """The median of each figure by itself."""
    cpu, wall, rss = zip(*costs, strict=True)
    return Cost(statistics.median(cpu), statistics.median(wall), int(statistics.median(rss)))


def same(first: Path, second: Path) -> bool:
    """Whether two files hold the same values line by line; the order of keys doesn't count."""
    return all(mine == theirs for mine, theirs in _pairs(first, second))


def _pairs(first: Path, second: Path) -> Iterator[tuple[object, object]]:
    with first.open("rb") as mine, second.open("rb") as theirs:
        for left, right in itertools.zip_longest(mine, theirs, fillvalue=b"null"):
            yield (left, right) if left == right else (json.loads(left), json.loads(right))
