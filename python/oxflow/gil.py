"""Measures what a call costs the other threads of the process: how long it keeps the interpreter from them.

A thread beside the call works in turns of a few milliseconds: it counts, as a busy thread would, and it sleeps for a moment, as
a thread that waits for a socket would. What it gets done beside the call, against what it gets done alone, is the share that the
call leaves; the longest time in which it got nothing done is the stall. The stall is what separates calls that hold
the interpreter from calls that release it: shares depend on the number of cores and on what else the machine does.

    with oxflow.gil.meter() as impact:
        resize(image)
    print(impact.share, impact.longest_stall_ms)

A busy machine stalls threads, too. On Linux the kernel says for how long a thread was ready to run and had no core: that time of the two
threads is no stall.

A call that releases and takes the interpreter for each item looks polite by its share and becomes slow itself, since it waits
for the other thread each time. `measure` therefore also makes the call alone.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Impact", "assert_releases_gil", "measure", "meter"]

# Nanoseconds of a turn. Short, so that a call of 30 ms meets both kinds.
_COUNTING = 2_000_000
_SLEEPING = 1_000_000
# Nanoseconds. Of what is longer it is asked whether a core was missing.
_LONG = 5_000_000
# How long the thread works alone before the call.
_ALONE_S = 0.2
_TRIES = 3


@dataclass
class Impact:
    """What a call did to the interpreter; all but `gil_enabled` is NaN until it has ended.

    Attributes:
        share: what a thread beside the call got done, of what it gets done alone; 0 to about 1. Tells little of calls
            under 30 ms, and of calls whose own threads need the cores.
        longest_stall_ms: the longest time in which that thread got nothing done, in milliseconds, less what it or the caller
            had to wait for a core meanwhile (on Linux).
        wake_up_p99_ms: how late it came back from a sleep of 1 ms, in milliseconds; 99 of 100 times it was less.
        alone_wake_up_p99_ms: the same without the call.
        call_s: how long the call took beside the thread, in seconds.
        cpu_s: processor time of the process meanwhile, less that of the thread, in seconds.
        call_slowdown: `call_s` over the time of the same call alone. Only `measure` knows it.
        gil_enabled: whether there is an interpreter lock at all: not so in free-threaded builds.
    """

    share: float = math.nan
    longest_stall_ms: float = math.nan
    wake_up_p99_ms: float = math.nan
    alone_wake_up_p99_ms: float = math.nan
    call_s: float = math.nan
    cpu_s: float = math.nan
    call_slowdown: float = math.nan
    gil_enabled: bool = True


class _Coreless:
    """How long threads were ready to run without a core to run on; 0 where the system can't tell."""

    def __init__(self) -> None:
        self._files: list[int] = []

    def watch(self, thread: int) -> None:
        """Count a thread of this process, too, by the number that the system gave it."""
        with contextlib.suppress(OSError):
            self._files.append(os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY))

    def total(self) -> int:
        """So far, in nanoseconds, all threads together."""
        total = 0
        for file in self._files:
            # A thread that has ended waits for nothing.
            with contextlib.suppress(OSError, IndexError, ValueError):
                total += int(os.pread(file, 100, 0).split()[1])
        return total

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())


class _Beside:
    """The thread beside the call."""

    def __init__(self) -> None:
        self._ended = False
        self._coreless = _Coreless()
        self._coreless.watch(threading.get_native_id())
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, name="oxflow-gil-meter", daemon=True)
        self.begin()

    def begin(self) -> None:
        """Forget what was counted."""
        self.count = 0
        self.longest = 0
        self.late: list[int] = []

    def start(self) -> None:
        self._thread.start()
        self._begun.wait()

    def end(self) -> None:
        self._ended = True
        self._thread.join()
        self._coreless.close()

    def cpu_s(self) -> float:
        """Processor time of the thread so far, in seconds; 0 where the system can't tell."""
        clock_of = getattr(time, "pthread_getcpuclockid", None)
        if clock_of is None or self._thread.ident is None:
            return 0.0
        return time.clock_gettime(clock_of(self._thread.ident))

    def _work(self) -> None:
        now = time.perf_counter_ns
        self._coreless.watch(threading.get_native_id())
        self._begun.set()
        last = now()
        while not self._ended:
            self._before = self._coreless.total()
            last = self._count(last)
            time.sleep(_SLEEPING / 1e9)
            here = now()
            late = here - last - _SLEEPING
            self.late.append(late)
            self._stalled(late)
            last = here

    def _count(self, last: int) -> int:
        now = time.perf_counter_ns
        until = last + _COUNTING
        while last < until:
            here = now()
            if here - last > self.longest:
                self._stalled(here - last)
            self.count += 1
            last = here
        return last

    def _stalled(self, time_ns: int) -> None:
        if time_ns > _LONG:
            time_ns -= self._coreless.total() - self._before
        self.longest = max(self.longest, time_ns)


@contextlib.contextmanager
def meter() -> Generator[Impact, None, None]:
    """Measure what the block does to the other threads.

    A thread works beside the block, for 0.2 s alone before it.

    Yields:
        What will be known when the block has ended, also by an exception.
    """
    impact = Impact(gil_enabled=_gil_enabled())
    beside = _Beside()
    beside.start()
    try:
        alone = time.perf_counter()
        time.sleep(_ALONE_S)
        rate = beside.count / (time.perf_counter() - alone)
        impact.alone_wake_up_p99_ms = _p99_ms(beside.late)
        beside.begin()
        begun, cpu, of_beside = time.perf_counter(), time.process_time(), beside.cpu_s()
        try:
            yield impact
        finally:
            impact.call_s = time.perf_counter() - begun
            impact.cpu_s = max(0.0, time.process_time() - cpu - (beside.cpu_s() - of_beside))
            impact.share = beside.count / impact.call_s / rate
    finally:
        # It gets the interpreter at once, and with it notes a stall that is still going on.
        beside.end()
        impact.longest_stall_ms = beside.longest / 1e6
        impact.wake_up_p99_ms = _p99_ms(beside.late)


def measure(call: Callable[[], object]) -> Impact:
    """Make a call alone and beside another thread.

    Args:
        call: what to measure. It is called twice.

    Returns:
        Its impact, with `call_slowdown`.
    """
    begun = time.perf_counter()
    call()
    alone = time.perf_counter() - begun
    with meter() as impact:
        call()
    impact.call_slowdown = impact.call_s / alone
    return impact


def assert_releases_gil(call: Callable[[], object], max_stall_ms: float = 20.0, min_call_ms: float = 100.0) -> Impact:
    """Fail if a call keeps the interpreter from other threads.

    What else goes on may stall a thread now and then, a call that holds the interpreter does so each time: the call is made up to
    three times, and the least of the longest stalls counts.

    Args:
        call: what to measure.
        max_stall_ms: how long another thread may be kept waiting, in milliseconds.
        min_call_ms: how long the call has to take, in milliseconds, more than `max_stall_ms`: a shorter one would pass whatever
            it does.

    Returns:
        The impact of the call that passed.

    Raises:
        AssertionError: another thread was kept waiting for longer each time.
        ValueError: the call was over before it could have been seen to hold the interpreter.
    """
    if min_call_ms <= max_stall_ms:
        raise ValueError(f"a call of {min_call_ms:g} ms can't stall others for more than {max_stall_ms:g} ms")
    stalls: list[float] = []
    for _ in range(_TRIES):
        with meter() as impact:
            call()
        if impact.call_s * 1000 < min_call_ms:
            took = f"the call took {impact.call_s * 1000:.3g} ms, too short to tell"
            raise ValueError(f"{took}: give it more to do, or lower `min_call_ms` ({min_call_ms:g})")
        if impact.longest_stall_ms <= max_stall_ms:
            return impact
        stalls.append(impact.longest_stall_ms)
    kept = ", ".join(f"{stall:.1f}" for stall in stalls)
    raise AssertionError(
        f"the call kept other threads from the interpreter for {kept} ms in {_TRIES} tries (at most {max_stall_ms:g} ms): "
        "release it around the work"
    )


def _p99_ms(late: list[int]) -> float:
    return sorted(late)[math.ceil(len(late) * 0.99) - 1] / 1e6 if late else math.nan


def _gil_enabled() -> bool:
    enabled = getattr(sys, "_is_gil_enabled", None)
    return True if enabled is None else bool(enabled())
