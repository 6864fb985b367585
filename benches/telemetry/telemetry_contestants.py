"""One contestant in a process of its own, since those that share a process share contexts and providers.

    telemetry_contestants.py NAME ENDPOINT

Reads the name of a case and a number of calls from each line, and answers with nanoseconds of CPU time of its thread for a
call; `rss` with megabytes. Exporting goes on in other threads, as in a service; before each measurement the queues are emptied.
"""

from __future__ import annotations

import gc
import importlib
import logging
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry import metrics, trace

Case = Callable[[], object]
# Three attributes, as of a request.
ATTRIBUTES = {"http.method": "GET", "http.status_code": 200, "cached": True}
ONE = {"kind": "book"}
# As many as a turn makes find room in the queues, or dropping them would be what is measured.
QUEUE = 16_384


class Null(logging.Handler):
    """Formats, and does nothing with it: what any handler costs at least."""

    def emit(self, record: logging.LogRecord) -> None:
        """Format it."""
        self.format(record)


def logging_case(handler: logging.Handler) -> Case:
    """What a line of the log costs a program that has this handler."""
    logger = logging.getLogger("bench.formatted" if isinstance(handler, Null) else "bench")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    return lambda: logger.info("order %s of %s", 7, "me")


def spans(start: Callable[..., Any]) -> Case:
    """A span around nothing."""

    def one() -> None:
        with start("GET /cart", attributes=ATTRIBUTES):
            pass

    return one


def oxflow(endpoint: str, sampler: str = "parentbased_always_on") -> tuple[dict[str, Case], Callable[[], object]]:
    """Our own calls, in a process that hasn't loaded OpenTelemetry's API."""
    from oxflow import telemetry
    from oxflow.telemetry import Config, LoggingHandler, MetricSink, OtlpLogSink, TraceSink, start_span

    traces = TraceSink(endpoint, sampler=sampler, batch_max_queue=QUEUE)
    telemetry.init(Config("bench", sinks=[traces, MetricSink(endpoint), OtlpLogSink(endpoint)]))
    counter = telemetry.get_meter("bench").counter("orders")
    cases = {
        "span": spans(start_span),
        "counter": lambda: counter.add(1, ONE),
        "log": logging_case(LoggingHandler()),
        "format": logging_case(Null()),
    }
    return cases, telemetry.force_flush


def oxflow_off(endpoint: str) -> tuple[dict[str, Case], Callable[[], object]]:
    """The same, with a sampler that takes nothing."""
    return oxflow(endpoint, "always_off")


def through_api(tracer: trace.Tracer, meter: metrics.Meter) -> dict[str, Case]:
    """What a program of OpenTelemetry's API does, whoever provides."""
    counter = meter.create_counter("orders")
    return {"span": spans(tracer.start_as_current_span), "counter": lambda: counter.add(1, ONE)}


def api(endpoint: str) -> tuple[dict[str, Case], Callable[[], object]]:
    """OpenTelemetry's API on oxflow."""
    from oxflow.telemetry import Config, MetricSink, TraceSink, otel

    config = Config("bench", sinks=[TraceSink(endpoint, batch_max_queue=QUEUE), MetricSink(endpoint)])
    traces, meters = otel.TracerProvider(config), otel.MeterProvider(config)
    return through_api(traces.get_tracer("bench"), meters.get_meter("bench")), traces.force_flush


def sdk(endpoint: str, *, is_off: bool = False) -> tuple[dict[str, Case], Callable[[], object]]:
    """OpenTelemetry's API on its SDK."""
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON

    traces = TracerProvider(sampler=ALWAYS_OFF if is_off else DEFAULT_ON)
    exporter = OTLPSpanExporter(endpoint, insecure=True)
    traces.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE, schedule_delay_millis=600_000))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint, insecure=True), 600_000)
    logs = LoggerProvider()
    logs.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(endpoint, insecure=True), schedule_delay_millis=600_000)
    )
    cases = through_api(traces.get_tracer("bench"), MeterProvider([reader]).get_meter("bench"))
    cases["log"] = logging_case(LoggingHandler(logger_provider=logs))
    return cases, lambda: (traces.force_flush(), logs.force_flush())


def sdk_off(endpoint: str) -> tuple[dict[str, Case], Callable[[], object]]:
    """The same, with a sampler that takes nothing."""
    return sdk(endpoint, is_off=True)


def pytracingx(endpoint: str, sampler: str = "always_on") -> tuple[dict[str, Case], Callable[[], object]]:
    """The other library with a core of Rust."""
    import pytracingx as ptx

    handler = importlib.import_module("pytracingx.logging").SLSLoggingHandler()
    sinks = [
        ptx.TraceSink(endpoint, sampler=sampler, batch_max_queue=QUEUE),
        ptx.MetricSink(endpoint),
        ptx.OtlpLogSink(endpoint),
    ]
    ptx.init(ptx.Config(service_name="bench", console_output=False, sinks=sinks))
    counter = ptx.get_meter("bench").counter("orders")
    cases = {
        "span": spans(ptx.start_span),
        "counter": lambda: counter.add(1, attributes=ONE),
        "log": logging_case(handler),
    }
    return cases, ptx.force_flush


def pytracingx_off(endpoint: str) -> tuple[dict[str, Case], Callable[[], object]]:
    """The same, with a sampler that takes nothing."""
    return pytracingx(endpoint, "always_off")


def logfire(endpoint: str) -> tuple[dict[str, Case], Callable[[], object]]:
    """Pydantic's layer over the SDK."""
    import logfire
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint, insecure=True)
    processor = BatchSpanProcessor(exporter, max_queue_size=QUEUE, schedule_delay_millis=600_000)
    logfire.configure(
        send_to_logfire=False, console=False, additional_span_processors=[processor], inspect_arguments=False
    )
    counter = logfire.metric_counter("orders")
    cases = {
        "span": spans(lambda name, attributes: logfire.span(name, **attributes)),
        "counter": lambda: counter.add(1, ONE),
    }
    return cases, logfire.force_flush


CONTESTANTS = {
    "oxflow": oxflow,
    "oxflow, sampled out": oxflow_off,
    "oxflow by the API": api,
    "sdk": sdk,
    "sdk, sampled out": sdk_off,
    "pytracingx": pytracingx,
    "pytracingx, sampled out": pytracingx_off,
    "logfire": logfire,
}


def nothing() -> None:
    """The least that a case is."""


def spent(case: Case, calls: int) -> int:
    """Nanoseconds of CPU time of this thread."""
    begin = time.thread_time_ns()
    for _ in range(calls):
        case()
    return time.thread_time_ns() - begin


def cost(case: Case, calls: int) -> float:
    """Nanoseconds of a call, less those of a function that does nothing."""
    gc.collect()
    gc.disable()
    found = spent(case, calls) - spent(nothing, calls)
    gc.enable()
    return found / calls


def rss() -> float:
    """Megabytes that are resident now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main(name: str, endpoint: str) -> None:
    """Answer until nobody asks."""
    cases, flush = CONTESTANTS[name](endpoint)
    print(" ".join(cases), flush=True)
    for line in sys.stdin:
        what, calls = line.split()
        flush()
        print(rss() if what == "rss" else cost(cases[what], int(calls)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
