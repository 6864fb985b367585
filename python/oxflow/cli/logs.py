"""Shows what a pipeline logs while `oxflow run` runs it, where the pipeline itself says nothing about `logging`.

Warnings and errors go to standard error, like the notes of the command itself: `logging` has a last resort for them, and for
the time of the run it is this. A pipeline that configures `logging` has its way.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from oxflow._terminal import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["shown"]


class _Handler(logging.Handler):
    """Says each record in a line or more."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        try:
            head = "error" if record.levelno >= logging.ERROR else "warning"
            step = getattr(record, "oxflow_step", None)
            where = f"{record.name}, step `{step}`" if step else record.name
            self._say(f"{head}: {readable(f'{where}: {self.format(record)}')}")
        except Exception:  # noqa: BLE001  # as every handler does: whoever logs must not fail
            self.handleError(record)


@contextlib.contextmanager
def shown(say: Callable[[str], object] | None) -> Generator[None, None, None]:
    """Say meanwhile the warnings and errors for which there is no handler; with None nobody hears of them."""
    before = logging.lastResort
    logging.lastResort = logging.NullHandler() if say is None else _Handler(say)
    try:
        yield
    finally:
        logging.lastResort = before
