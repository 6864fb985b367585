"""Tracebacks without what the user did not write."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

__all__ = ["of_user_code", "trimmed"]

_PACKAGE = str(Path(__file__).parent) + os.sep


def trimmed(error: BaseException) -> str:
    """Format an exception and its causes without the frames of oxflow and of the import machinery."""
    shown = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = shown
    while part is not None:
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if _is_users(frame.filename)])
        part = part.__cause__ or part.__context__
    return "".join(shown.format())


def of_user_code(error: BaseException) -> str | None:
    """Format an exception as `trimmed` does; `None` if no code of the user raised it."""
    text = trimmed(error)
    return text if "\n  File " in text else None


def _is_users(file: str) -> bool:
    return not file.startswith((_PACKAGE, "<frozen "))
