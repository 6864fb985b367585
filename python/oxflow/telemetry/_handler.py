"""What the program logs by `logging`, as log records of OpenTelemetry with their place in the trace."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from oxflow._oxflow import Logger

__all__ = ["LoggingHandler", "SLSLoggingHandler"]

# What `logging` itself puts into a record; the rest is the user's `extra`.
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__)
_OWN = _PLAIN | {"message", "asctime", "taskName"}
_DEBUG, _WARN, _MOST = 10, "WARN", 24


class LoggingHandler(logging.Handler):
    """Makes an OpenTelemetry log record of each record of `logging`, in the span that it was logged in.

    What a Rust extension logs went to the sinks before it came to `logging`: it isn't made again. The scope is the logger's name, the body the message, or what a formatter makes of it; `extra` and exceptions become attributes, and
    so does the place in the code.

        logging.basicConfig(level=logging.INFO, handlers=[LoggingHandler()])
    """

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._loggers: dict[str, Logger] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on; what goes wrong is printed as `logging` does."""
        try:
            self._emit(record)
        except Exception:  # noqa: BLE001  # a record that can't be handled must not stop the program
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "oxflow_exported", False):
            return
        logger = self._loggers.get(record.name)
        if logger is None:
            logger = self._loggers[record.name] = Logger(record.name)
        severity = _severity(record.levelno)
        if not logger.is_enabled(severity):
            return
        fields = record.__dict__
        attributes: dict[str, Any] = {
            "code.file.path": record.pathname,
            "code.function.name": record.funcName,
            "code.line.number": record.lineno,
        }
        if len(fields) > len(_PLAIN):
            attributes.update((name, value) for name, value in fields.items() if name not in _OWN)
        if record.exc_info and record.exc_info[0] is not None:
            attributes.update(_exception(record.exc_info))
        body = self.format(record) if self.formatter else record.getMessage()
        name = _WARN if record.levelno == logging.WARNING else record.levelname
        logger.emit(severity, body, attributes, severity_text=name, time_ns=int(record.created * 1e9))

    def flush(self) -> None:
        """Nothing: the end of the process delivers, and `oxflow.telemetry.force_flush` does at once."""


class SLSLoggingHandler(LoggingHandler):
    """The same under the name that users of pytracingx know; where records go is said by the sinks."""


def _severity(level: int) -> int:
    """The number of OpenTelemetry: a group of four for each level of `logging`, the steps between as far as they go."""
    if level < _DEBUG:
        return 1
    group, step = divmod(level, 10)
    return min(1 + 4 * group + min(step, 3), _MOST)


def _exception(info: Any) -> dict[str, str]:
    kind, error, stack = info
    return {
        "exception.type": kind.__name__,
        "exception.message": str(error),
        "exception.stacktrace": "".join(traceback.format_exception(kind, error, stack)),
    }
