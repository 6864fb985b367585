"""Remembers where the user wrote a step.

Errors point at the user's line, so each step notes the frame that made it: a file name and a number, nothing is read. The
text of the line is looked up when a plan is made.
"""

from __future__ import annotations

import linecache
import os
import sys
from typing import NamedTuple

from oxflow.errors import Place

_PACKAGE = os.path.dirname(__file__) + os.sep


class Spot(NamedTuple):
    """A line of a file, as the interpreter names it."""

    file: str
    line: int


def caller() -> Spot | None:
    """Give the innermost line that is not in this package."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        # Methods that `dataclass` generates live in no file.
        if not file.startswith(_PACKAGE) and file != "<string>":
            return Spot(file, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None


def place_of(spot: Spot | None) -> Place | None:
    """Give the place to show: the path relative to the working directory if it is below it, with the line's text."""
    if spot is None:
        return None
    return Place(_short(spot.file), spot.line, linecache.getline(spot.file, spot.line).strip())


def _short(file: str) -> str:
    below = os.getcwd() + os.sep
    return file.removeprefix(below)
