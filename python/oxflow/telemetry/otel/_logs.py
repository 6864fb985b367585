"""Loggers for the OpenTelemetry API."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, trace

from oxflow import _oxflow
from oxflow.telemetry.otel._provider import Shared

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.util.types import AnyValue, Attributes

__all__ = ["LoggerProvider"]


class LoggerProvider(Shared, _logs.LoggerProvider):
    """Gives loggers whose records go where `config` says."""

    def get_logger(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Attributes = None
    ) -> _logs.Logger:
        """Give the logger of a library."""
        return _Logger(name, version, schema_url, attributes)


class _Logger(_logs.Logger):
    """Makes log records under a name."""

    def __init__(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Attributes = None
    ) -> None:
        super().__init__(name, version, schema_url, attributes)
        self._native = _oxflow.Logger(name, version, schema_url, attributes)

    def emit(
        self,
        record: _logs.LogRecord | None = None,
        *,
        timestamp: int | None = None,
        observed_timestamp: int | None = None,
        context: Context | None = None,
        severity_number: _logs.SeverityNumber | None = None,
        severity_text: str | None = None,
        body: AnyValue | None = None,
        attributes: Attributes = None,
        event_name: str | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """Make a record, of its fields or of one that is made already."""
        span: Any = None if context is None else trace.get_current_span(context)
        if record is not None:
            # It has the identities itself.
            span = record
            timestamp, observed_timestamp = record.timestamp, record.observed_timestamp
            severity_number, severity_text = record.severity_number, record.severity_text
            body, attributes = record.body, record.attributes
            event_name, exception = record.event_name, record.exception
        if exception is not None:
            attributes = {**_described(exception), **(attributes or {})}
        self._native.emit(
            0 if severity_number is None else severity_number.value,
            body,
            attributes,
            severity_text=severity_text or "",
            time_ns=timestamp or 0,
            observed_ns=observed_timestamp,
            event_name=event_name,
            span=span,
        )

    def enabled(
        self,
        *,
        context: Context | None = None,  # noqa: ARG002  # asked for by the API
        severity_number: _logs.SeverityNumber | None = None,
        event_name: str | None = None,  # noqa: ARG002  # asked for by the API
    ) -> bool:
        """Whether anybody takes records of this severity."""
        return self._native.is_enabled(0 if severity_number is None else severity_number.value)


def _described(error: BaseException) -> dict[str, str]:
    kind = type(error)
    return {
        "exception.type": kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}",
        "exception.message": str(error),
        "exception.stacktrace": "".join(traceback.format_exception(kind, error, error.__traceback__)),
    }
