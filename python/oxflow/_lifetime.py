"""Ends runs before the interpreter ends.

The lanes of a run call Python. A lane that does so while the interpreter is being taken down takes the process down with it,
so a run must not outlive the call that started it, whatever is raised there, nor the interpreter: what still goes on when
the process is about to exit (the run of a daemon thread) is drained and waited for.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oxflow._logs import deliver, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oxflow import _oxflow

__all__ = ["INTERRUPTED_EXIT_CODE", "carried", "wait"]

# Python's signal handlers run when the main thread gets the interpreter: a turn bounds how long a signal waits.
_TURN_S = 0.1
INTERRUPTED_EXIT_CODE = 130


@dataclass(eq=False)
class _Held:
    """A run, the thread of the call that started it, and whether that call is over."""

    run: _oxflow.Run
    thread: threading.Thread = field(default_factory=threading.current_thread)
    left: threading.Event = field(default_factory=threading.Event)


_held: set[_Held] = set()
_exiting = threading.Event()


def wait(run: _oxflow.Run, look: Callable[[_oxflow.Run], object] | None = None) -> None:
    """Wait for the end of a run, in turns, and hand on what extensions log; `look` is called after each."""
    ended = False
    while not ended:
        follow()
        ended = run.wait(_TURN_S)
        deliver(run.take_records())
        if look is not None and not ended:
            look(run)


@contextlib.contextmanager
def carried(run: _oxflow.Run) -> Generator[None, None, None]:
    """Carry a run to its end, whatever is raised meanwhile.

    Raises:
        RuntimeError: the interpreter is about to exit.
    """
    _watch_exit()
    held = _Held(run)
    # Held before it looks: either it sees the exit, or the exit sees it.
    _held.add(held)
    try:
        if _exiting.is_set():
            raise RuntimeError("the interpreter is exiting: no run can start")
        try:
            yield
        except BaseException:
            run.drain()
            # Who interrupts this wait leaves the run to the end of the process.
            wait(run)
            raise
    finally:
        if run.wait(0):
            _held.discard(held)
        held.left.set()


@functools.cache
def _watch_exit() -> None:
    atexit.register(_end_all)
    # The lanes stay behind in the parent: its child has none to wait for.
    os.register_at_fork(after_in_child=_held.clear)


def _end_all() -> None:
    _exiting.set()
    going = list(_held)
    try:
        for held in going:
            held.run.drain()
        for held in going:
            # A thread that comes back from the engine during the interpreter's end would be killed inside of it. The call
            # of this thread is over; a signal's handler may have kept it from saying so.
            if held.thread is not threading.current_thread():
                held.left.wait()
            wait(held.run)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED_EXIT_CODE)
