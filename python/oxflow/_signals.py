"""What signals do to a run: the first SIGINT or SIGTERM drains it, the second ends the process.

Python's handlers run in the main thread when that gets the interpreter, and a step may hold the interpreter for as long as it
likes. So a thread of the engine is told of each signal by the descriptor that Python's own handler writes to; it needs no
interpreter to drain and to end the process. The handler in Python does what needs Python: it says that the run stops.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow._lifetime import INTERRUPTED_EXIT_CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from oxflow.report import StopSignal

__all__ = ["draining_on_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NO_DESCRIPTOR = -1


@contextlib.contextmanager
def draining_on_signals(
    run: _oxflow.Run, on_stop: Callable[[], object] | None
) -> Generator[list[StopSignal], None, None]:
    """Drain on the first signal and exit on the second; gives the list in which the first will stand.

    Args:
        run: a run, started or not.
        on_stop: called when the first signal drains it.
    """
    stopped_by: list[StopSignal] = []
    if threading.current_thread() is not threading.main_thread():
        yield stopped_by
        return
    with _watched(run) as is_watched:

        def handle(number: int, _frame: FrameType | None) -> None:
            if not stopped_by:
                stopped_by.append("SIGINT" if number == signal.SIGINT else "SIGTERM")
                run.drain()
                if on_stop is not None:
                    on_stop()
            elif not is_watched:
                os._exit(INTERRUPTED_EXIT_CODE)

        for number in _SIGNALS:
            _taken[number] = signal.signal(number, handle)
        try:
            yield stopped_by
        finally:
            _put_back()


# The handlers from before, while a run has the signals.
_taken: dict[int, Any] = {}


def _put_back() -> None:
    for number, handler in _taken.items():
        # `None` is a handler that was not set from Python and cannot be put back from it.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
    _taken.clear()


def _in_child() -> None:
    """A child of the process runs nothing here: its signals are its own, and must not be told to the parent's watch."""
    if _taken:
        signal.set_wakeup_fd(_NO_DESCRIPTOR)
        _put_back()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


@contextlib.contextmanager
def _watched(run: _oxflow.Run) -> Generator[bool, None, None]:
    """Let the engine watch the signals; gives whether it does. Who has a descriptor for them already keeps it."""
    before = signal.set_wakeup_fd(_NO_DESCRIPTOR)
    if before != _NO_DESCRIPTOR:
        signal.set_wakeup_fd(before)
        yield False
        return
    watch = _oxflow.SignalWatch(run, bytes(_SIGNALS), INTERRUPTED_EXIT_CODE)
    try:
        descriptor = watch.fileno()
        if descriptor is not None:
            os.set_blocking(descriptor, False)
            signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
        yield descriptor is not None
    finally:
        signal.set_wakeup_fd(_NO_DESCRIPTOR)
        watch.close()
