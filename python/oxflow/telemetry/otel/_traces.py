"""Tracers for the OpenTelemetry API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opentelemetry import trace

from oxflow._oxflow import Tracer
from oxflow.telemetry.otel._provider import Shared

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes

__all__ = ["TracerProvider"]

trace.Tracer.register(Tracer)


class TracerProvider(Shared, trace.TracerProvider):
    """Gives tracers whose spans go where `config` says."""

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> trace.Tracer:
        """Give the tracer of a library."""
        made = Tracer(instrumenting_module_name or "", instrumenting_library_version, schema_url, attributes)
        return cast("trace.Tracer", made)
