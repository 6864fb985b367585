"""Hands what Rust extensions log to `logging`, and tells them whom anyone listens to.

A record arrives at the logger that has the name of its target, `my_steps::parser` at `my_steps.parser`, as if it had been
logged there at that time: the same levels, filters and handlers serve both languages.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["FOLLOWED", "TRACE", "deliver", "follow"]

TRACE = 5
# By the numbers of the engine: none, error, warn, info, debug, trace.
_LEVELS = (logging.CRITICAL + 1, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, TRACE)

# Holds `TRACE` while the extensions know the levels. A change of any level empties it: the only sign of it that there is.
FOLLOWED: Collection[int] = getattr(logging.root, "_cache", ())

if logging.getLevelName(TRACE) == f"Level {TRACE}":
    logging.addLevelName(TRACE, "TRACE")


def follow() -> None:
    """Tell the extensions the levels of the loggers, if these may have changed."""
    if TRACE in FOLLOWED:
        return
    # First, so that what changes from here on is seen the next time.
    logging.root.isEnabledFor(TRACE)
    loggers = list(logging.root.manager.loggerDict.items())
    named = [
        (name, _number(logging.CRITICAL + 1 if logger.disabled else logger.level))
        for name, logger in loggers
        if isinstance(logger, logging.Logger) and (logger.level != logging.NOTSET or logger.disabled)
    ]
    _oxflow.listen(named, _number(logging.root.level))


def _in_child() -> None:
    """What the parent recorded isn't the child's, and the extensions must be told anew."""
    _oxflow.forget_records()
    getattr(logging.root, "_cache", dict[int, bool]()).clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def deliver(records: Iterable[Mapping[str, Any]]) -> None:
    """Let the loggers handle records; what a handler raises is printed, as `logging` does with what its own ones raise."""
    for record in records:
        _handle(record)


def _number(level: int) -> int:
    """The engine's number of the most verbose level that passes."""
    least = max(level, logging.root.manager.disable + 1)
    return max(number for number, passes in enumerate(_LEVELS) if passes >= least or number == 0)


def _handle(given: Mapping[str, Any]) -> None:
    try:
        _log(given)
    except Exception:  # noqa: BLE001  # whatever it is, the run goes on
        _complain()


def _log(given: Mapping[str, Any]) -> None:
    logger = logging.getLogger(given["target"].replace("::", "."))
    level = _LEVELS[int(given["level"])]
    if not logger.isEnabledFor(level):
        return
    fields: dict[str, Any] = given["fields"]
    extra = {
        "oxflow_step": given["step"],
        "oxflow_span": given["span"],
        "oxflow_span_fields": given["span_fields"],
        "oxflow_trace_id": given["trace_id"],
        "oxflow_span_id": given["span_id"],
        "oxflow_parent_id": given["parent_id"],
        "oxflow_fields": fields,
        "oxflow_exported": given["exported"],
    }
    text, arguments = _template(given["message"], fields)
    record = logger.makeRecord(
        logger.name, level, given["file"], given["line"], text, arguments, None, given["module"], extra
    )
    _set_time(record, given["created"])
    if given["thread"] is not None:
        record.thread, record.threadName = 0, given["thread"]
    logger.handle(record)


def _template(message: str, fields: Mapping[str, Any]) -> tuple[str, Any]:
    """Text and arguments: the same place gives the same text, which tools group by, and plain formats show the values."""
    # A parenthesis would end the name in the text.
    shown = [name for name in fields if ")" not in name and "(" not in name]
    if not shown:
        return message, ()
    values = " ".join(f"{name.replace('%', '%%')}=%({name})s" for name in shown)
    return f"{message.replace('%', '%%')} {values}".strip(), (fields,)


def _set_time(record: logging.LogRecord, created: float) -> None:
    record.relativeCreated += (created - record.created) * 1000
    record.created = created
    record.msecs = (created % 1) * 1000 // 1


def _complain() -> None:
    if logging.raiseExceptions and sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write("--- a handler of `logging` raised on a record of a Rust extension ---\n")
            traceback.print_exc(file=sys.stderr)
