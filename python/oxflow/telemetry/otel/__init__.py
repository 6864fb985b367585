"""Providers for the OpenTelemetry API: what is instrumented for it records by oxflow.

    from opentelemetry import metrics, trace
    from oxflow.telemetry import Config, MetricSink, TraceSink, otel

    config = Config("shop", sinks=[TraceSink("http://localhost:4317"), MetricSink("http://localhost:4317")])
    trace.set_tracer_provider(otel.TracerProvider(config))
    metrics.set_meter_provider(otel.MeterProvider(config))

With `OTEL_PYTHON_TRACER_PROVIDER=oxflow` and its sisters a program does so without a line of code. A process has one telemetry: the
providers share it with each other, and with what `oxflow.telemetry` records. This module needs the package `opentelemetry-api`.
"""

from oxflow.telemetry.otel._logs import LoggerProvider
from oxflow.telemetry.otel._metrics import MeterProvider
from oxflow.telemetry.otel._traces import TracerProvider

__all__ = ["LoggerProvider", "MeterProvider", "TracerProvider"]
