"""Tracebacks without what the user did not write."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

__all__ = ["of_user_code", "trimmed"]

_PACKAGE = str(Path(__file__).parent) + os.sep


def trimmed(error: BaseException) -> str:
    """Format an exception and its causes without the frames of oxflow and of the import machinery."""
    return "".join(_trimmed(error)[0].format())


def of_user_code(error: BaseException) -> str | None:
    """Format an exception as `trimmed` does; `None` if no code of the user raised it."""
    chain = _trimmed(error)
    return "".join(chain[0].format()) if any(part.stack for part in chain) else None


def _trimmed(error: BaseException) -> list[traceback.TracebackException]:
    """Give the exception and its causes."""
    chain = [traceback.TracebackException.from_exception(error)]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    for part in chain:
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if _is_users(frame.filename)])
    return chain


def _is_users(file: str) -> bool:
    return not file.startswith((_PACKAGE, "<frozen "))
