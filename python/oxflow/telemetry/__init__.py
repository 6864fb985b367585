"""Traces, metrics and logs of a Python service, to an OpenTelemetry Collector or the console.

    from oxflow import telemetry
    from oxflow.telemetry import Config, MetricSink, TraceSink

    telemetry.init(Config("shop", sinks=[TraceSink("http://localhost:4317"), MetricSink("http://localhost:4317")]))

    orders = telemetry.get_meter("cart").counter("orders")
    logger = telemetry.get_logger("cart")

    with telemetry.extract_headers(request.headers), telemetry.start_span("checkout", {"user.id": 7}, "server") as span:
        orders.add(1, {"kind": "book"})
        logger.info("paid", attributes={"cents": 995})
        span.set_attribute("items", 3)

What is recorded is written to the bytes of a bounded queue, and sent by one thread of Rust, which never holds the interpreter; callbacks
of observable instruments have one of their own. All of it is counted: see `stats`. Nothing begins before `init`; a process that ends, or
forks, delivers what it has by itself.
"""

from __future__ import annotations

import importlib

from oxflow._oxflow import Extracted, Logger, Span, current_span, get_baggage, set_baggage, start_span

# As checkers know it from `typing`, which takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from oxflow.telemetry._handler import LoggingHandler, SLSLoggingHandler
    from oxflow.telemetry._life import Dropped, SinkStats, Stats, force_flush, init, shutdown, stats
    from oxflow.telemetry._logs import get_logger
    from oxflow.telemetry._metrics import (
        Counter,
        Gauge,
        Histogram,
        Meter,
        ObservableCounter,
        ObservableGauge,
        ObservableUpDownCounter,
        UpDownCounter,
        get_meter,
    )
    from oxflow.telemetry._propagation import extract_headers, inject_headers
    from oxflow.telemetry.config import Config, Limits, MetricSink, OtlpLogSink, SlsLogSink, TraceSink, View

__all__ = [
    "Config",
    "Counter",
    "Dropped",
    "Extracted",
    "Gauge",
    "Histogram",
    "Limits",
    "Logger",
    "LoggingHandler",
    "Meter",
    "MetricSink",
    "ObservableCounter",
    "ObservableGauge",
    "ObservableUpDownCounter",
    "OtlpLogSink",
    "SLSLoggingHandler",
    "SinkStats",
    "SlsLogSink",
    "Span",
    "Stats",
    "TraceSink",
    "UpDownCounter",
    "View",
    "current_span",
    "extract_headers",
    "force_flush",
    "get_baggage",
    "get_logger",
    "get_meter",
    "init",
    "inject_headers",
    "set_baggage",
    "shutdown",
    "start_span",
    "stats",
]

_HOMES = {
    "_handler": ("LoggingHandler", "SLSLoggingHandler"),
    "_life": ("Dropped", "SinkStats", "Stats", "force_flush", "init", "shutdown", "stats"),
    "_logs": ("get_logger",),
    "_metrics": (
        "Counter",
        "Gauge",
        "Histogram",
        "Meter",
        "ObservableCounter",
        "ObservableGauge",
        "ObservableUpDownCounter",
        "UpDownCounter",
        "get_meter",
    ),
    "_propagation": ("extract_headers", "inject_headers"),
    "config": ("Config", "Limits", "MetricSink", "OtlpLogSink", "SlsLogSink", "TraceSink", "View"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module `oxflow.telemetry` has no attribute `{name}`")
    value: object = getattr(importlib.import_module(f"oxflow.telemetry.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
