"""Keeps the picture of a run at the bottom of a terminal.

The main thread draws it between two waits for the end of the run. The cursor always rests below the picture, at the beginning
of an empty line: there the terminal echoes a Ctrl-C, and there a shell goes on should the process be killed.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections import deque
from typing import TYPE_CHECKING

from oxflow.cli.progress import columns, render
from oxflow.cli.show import painted
from oxflow.report import RunReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow import _oxflow

__all__ = ["Display"]

_FIRST_S = 0.3
"""A run that is over sooner shows nothing: it would only flash."""
_EVERY_S = 0.25
_WINDOW = 8
"""Rates are told over so many pictures, so that they can be read."""
_COLOUR = re.compile(r"\x1b\[\d+m")


class Display:
    """A picture that is drawn anew from time to time; made and closed in the main thread.

    Args:
        descriptor: the terminal.
        colour: whether to use any.
        clock: tells seconds.
    """

    def __init__(self, descriptor: int, *, colour: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._descriptor = descriptor
        self._colour = colour
        self._clock = clock
        self._next = clock() + _FIRST_S
        self._reports: deque[RunReport] = deque(maxlen=_WINDOW)
        self._lines: list[str] = []
        self._drawing = False
        self._note: bytes | None = None
        self._said: deque[str] = deque()
        self._gone = False
        self._before = signal.signal(signal.SIGCONT, self._forget)

    def close(self) -> None:
        """Take the picture away for good."""
        self._leave(b"")
        self._tell()
        # `None` is a handler that was not set from Python and cannot be put back from it.
        signal.signal(signal.SIGCONT, signal.SIG_DFL if self._before is None else self._before)

    def look(self, run: _oxflow.Run) -> None:
        """Draw the run if it is time to."""
        self._tell()
        if self._gone or self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY_S
        self._reports.append(RunReport.from_json(run.report(), {}))
        self._drawing = True
        try:
            self._draw()
        finally:
            self._drawing = False
            # It came while the picture was drawn.
            if self._note is not None:
                self.leave(self._note)

    def say(self, text: str) -> None:
        """Say something above the picture, at the next look; any thread may call this."""
        self._said.append(text)

    def _tell(self) -> None:
        """Write what was said in place of the picture, which is drawn anew below."""
        if not self._said:
            return
        try:
            width = os.get_terminal_size(self._descriptor).columns
        except OSError:
            width = 0
        said = ""
        while self._said:
            text = self._said.popleft()
            said += (painted(text) if self._colour else text) + "\n"
        wipe = f"{self._back(width)}\x1b[J" if self._lines else ""
        self._lines = []
        self._next = min(self._next, self._clock()) if wipe else self._next
        self._drawing = True
        try:
            self._write((wipe + said).encode(errors="replace"))
        finally:
            self._drawing = False
            if self._note is not None:
                self.leave(self._note)

    def leave(self, note: bytes) -> None:
        """Take the picture away for good and say something in its place; a signal's handler may call this at any time."""
        self._note = note
        if not self._drawing:
            self._note = None
            self._leave(note)

    def _forget(self, *_signal: object) -> None:
        """The process was stopped: since then a shell has written to the terminal, and that stays."""
        self._lines = []

    def _draw(self) -> None:
        if not _is_in_foreground(self._descriptor):
            # The terminal is somebody else's, and what was drawn scrolls away.
            self._lines = []
            return
        try:
            size = os.get_terminal_size(self._descriptor)
        except OSError:
            return
        report, previous = self._reports[-1], self._reports[0] if len(self._reports) > 1 else None
        lines = render(report, previous, size.columns, size.lines, colour=self._colour)
        # Line by line over the old picture: to clear it first would flicker.
        frame = self._back(size.columns) + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"
        self._lines = lines
        self._write(frame.encode(errors="replace"))

    def _leave(self, note: bytes) -> None:
        if self._gone:
            return
        self._gone = True
        try:
            width = os.get_terminal_size(self._descriptor).columns
        except OSError:
            width = 0
        wipe = f"{self._back(width)}\x1b[J" if self._lines else ""
        self._lines = []
        self._write(wipe.encode() + note)

    def _back(self, width: int) -> str:
        """Moves to the beginning of the old picture, whose lines a terminal that became narrower has broken."""
        lengths = [columns(_COLOUR.sub("", line)) for line in self._lines]
        rows = sum(max(1, -(-length // width)) for length in lengths) if width > 0 else len(lengths)
        return f"\r\x1b[{rows}A" if rows else "\r"

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            # There is no terminal any more. That is no reason to end the run.
            self._gone = True


def _is_in_foreground(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        # It is nobody's terminal, or has no such thing as a foreground.
        return True
