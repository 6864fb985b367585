"""Shows errors on a terminal: the diagnostics, and of a traceback what the user wrote."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

from oxflow._terminal import readable
from oxflow._traceback import trimmed
from oxflow.cli.target import TargetImportError
from oxflow.errors import OxflowError, StepError, TooManyFailedError

_HEAD = re.compile(r"^(error|warning)(?:\[OXF\d{4}\]|(?=: ))", re.MULTILINE)
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}
_PLAIN = "\x1b[0m"


def show_error(error: OxflowError) -> None:
    """Print an error, with the traceback of what the user's code raised."""
    print(coloured(str(error), sys.stderr), file=sys.stderr)
    cause = error.__cause__ if isinstance(error, (StepError, TooManyFailedError, TargetImportError)) else None
    # A codec's error was raised by no code of the user, and `why` has its text.
    if cause is not None and not isinstance(cause, OxflowError):
        print(readable(trimmed(cause)), end="", file=sys.stderr)


def is_coloured(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def coloured(text: str, stream: TextIO) -> str:
    """Colour the heads of errors and warnings if the stream is a terminal and `NO_COLOR` is not set."""
    return painted(text) if is_coloured(stream) else text


def painted(text: str) -> str:
    """Colour the heads of errors and warnings."""
    return _HEAD.sub(lambda head: f"{_COLOURS[head[1]]}{head[0]}{_PLAIN}", text)
