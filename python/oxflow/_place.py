"""Remembers where the user wrote a step.

Errors point at the user's line, so each step notes the frame that made it: a file name and a number, nothing is read. The
text of the line is looked up when a plan is made.
"""

from __future__ import annotations

import inspect
import linecache
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oxflow.errors import Place

if TYPE_CHECKING:
    from types import FrameType

_PACKAGE = str(Path(__file__).parent) + os.sep


class Spot(NamedTuple):
    """A line of a file, as the interpreter names it, and the column where that is known."""

    file: str
    line: int
    column: int | None = None


def caller() -> Spot | None:
    """Give the innermost line that is not in this package."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        # Methods that `dataclass` generates live in no file.
        if not file.startswith(_PACKAGE) and file != "<string>":
            return Spot(file, frame.f_lineno)
        frame = frame.f_back
    return None


def place_of(spot: Spot | None) -> Place | None:
    """Give the place to show: the path relative to the working directory if it is below it, with the line's text."""
    if spot is None:
        return None
    return Place(_short(spot.file), spot.line, linecache.getline(spot.file, spot.line).strip(), spot.column)


def _short(file: str) -> str:
    below = str(Path.cwd()) + os.sep
    return file.removeprefix(below)
