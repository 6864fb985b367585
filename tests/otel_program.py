"""A program that knows OpenTelemetry's API and nothing else, with instrumentation libraries of the contrib project.

python tests/otel_program.py sdk|oxflow COLLECTOR SERVICE
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, cast

from opentelemetry import _logs, baggage, context, metrics, propagate, trace
from opentelemetry.instrumentation.logging.handler import (  # pyright: ignore[reportMissingTypeStubs]
    LoggingHandler,
)
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager

    from opentelemetry.metrics import CallbackOptions, Observation


def provide_sdk(endpoint: str, service: str) -> None:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "deployment.environment.name": "test"})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(traces)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics"), 600_000)
    # oxflow has no exemplars, which its guide says.
    meters = MeterProvider([reader], resource=resource, exemplar_filter=AlwaysOffExemplarFilter())
    metrics.set_meter_provider(meters)
    loggers = LoggerProvider(resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{endpoint}/v1/logs")))
    _logs.set_logger_provider(loggers)


def provide_oxflow(endpoint: str, service: str) -> None:
    from oxflow.telemetry import Config, MetricSink, OtlpLogSink, TraceSink, otel

    config = Config(
        service,
        {"deployment.environment.name": "test"},
        sinks=[
            TraceSink(f"{endpoint}/v1/traces", "http/protobuf"),
            MetricSink(f"{endpoint}/v1/metrics", "http/protobuf", export_interval_ms=600_000),
            OtlpLogSink(f"{endpoint}/v1/logs", "http/protobuf"),
        ],
    )
    trace.set_tracer_provider(otel.TracerProvider(config))
    metrics.set_meter_provider(otel.MeterProvider(config))
    _logs.set_logger_provider(otel.LoggerProvider(config))


# Made before there is a provider, as libraries do.
SCHEMA = "https://example.com/schema"
tracer = trace.get_tracer("shop", "1.2", schema_url=SCHEMA, attributes={"team": "cart"})
meter = metrics.get_meter("shop.meter", "3", schema_url=SCHEMA)


class Echo(BaseHTTPRequestHandler):
    """Records a span in that of the request."""

    def do_GET(self) -> None:
        found = propagate.extract(self.headers)
        attributes = {"tenant": str(baggage.get_baggage("tenant", found))}
        with tracer.start_as_current_span("serve", found, SpanKind.SERVER, attributes):
            self.send_response(404 if self.path == "/missing" else 200)
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the standard library
        del format, args


def fetch(address: str, path: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}{path}") as answer:  # noqa: S310  # our own server
            return cast("int", answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def requests(address: str) -> None:
    token = context.attach(baggage.set_baggage("tenant", "a"))
    with tracer.start_as_current_span("requests", kind=SpanKind.CONSUMER):
        assert (fetch(address, "/"), fetch(address, "/missing")) == (200, 404)
    context.detach(token)


@tracer.start_as_current_span("decorated")
def decorated() -> None:
    trace.get_current_span().add_event("inside", {"list": [1, 2], "float": 0.5}, timestamp=77)


@tracer.start_as_current_span("awaited", attributes={"kind": "task"})
async def awaited(number: int) -> None:
    await asyncio.sleep(0.001)
    trace.get_current_span().set_attribute("number", number)


async def tasks() -> None:
    with tracer.start_as_current_span("gather"):
        await asyncio.gather(*(awaited(number) for number in range(3)))


def spans() -> None:
    with tracer.start_as_current_span("values") as span:
        span.set_attributes({"text": "grün", "int": -(2**63), "flag": True, "empty": "", "list": ("a", "b")})
        span.set_attribute("int", 7)
        span.update_name("renamed")
        other = tracer.start_span("other", start_time=1_000_000_000, kind=SpanKind.PRODUCER)
        other.end(2_000_000_000)
        links = [Link(other.get_span_context(), {"why": "cause"})]
        with tracer.start_span("linked", links=links) as linked:
            # This one isn't current.
            assert trace.get_current_span() is span
            linked.add_link(span.get_span_context())
            linked.add_link(trace.INVALID_SPAN_CONTEXT)
            linked.set_status(Status(StatusCode.ERROR, "broken"))
            linked.set_status(StatusCode.OK)
            linked.set_status(StatusCode.ERROR, "too late")
        root = tracer.start_span("root", context.Context())
        with trace.use_span(root, end_on_exit=True):
            tracer.start_span("child").end()
        in_root = trace.set_span_in_context(root)
        tracer.start_span("explicit", in_root).end()
        with tracer.start_as_current_span("early") as early:
            early.end()
            # It is current still.
            tracer.start_span("in early").end()
        fails(tracer)
        with tracer.start_as_current_span("open", end_on_exit=False) as kept:
            pass
        assert kept.is_recording()
        kept.end()
        assert not kept.is_recording()


def fails(tracer: trace.Tracer) -> None:
    start = tracer.start_as_current_span
    begin: list[Callable[[], AbstractContextManager[trace.Span]]] = [
        lambda: start("fails"),
        lambda: start("fails", record_exception=False),
        lambda: start("fails", set_status_on_exception=False),
        lambda: tracer.start_span("fails apart"),
    ]
    for one in begin:
        with contextlib.suppress(ValueError), one() as span:
            span.record_exception(KeyError("a"), {"extra": 1})
            broken()


def broken() -> None:
    raise ValueError("no")


def records() -> None:
    logger = _logs.get_logger("shop.logger", instrumenting_library_version="4", attributes={"team": "cart"})
    plain = logging.getLogger("shop.plain")
    plain.propagate = False
    plain.setLevel(logging.DEBUG)
    plain.addHandler(LoggingHandler())
    number = _logs.SeverityNumber.INFO2
    with tracer.start_as_current_span("logs") as span:
        logger.emit(
            timestamp=5, severity_number=number, body={"a": [1, None]}, attributes={"b": b"x"}, event_name="paid"
        )
        plain.warning("told %s", "so", extra={"user": 7})
        try:
            broken()
        except ValueError as error:
            plain.exception("failed")
            logger.emit(body="raised", exception=error)
        inside = trace.set_span_in_context(span)
    logger.emit(context=inside, severity_text="odd", body=1.5)
    logger.emit(_logs.LogRecord(timestamp=9, body="made", context=inside))
    plain.debug("outside")
    assert logger.enabled(severity_number=_logs.SeverityNumber.FATAL)


def measurements() -> None:
    counter = meter.create_counter("orders", "1", "what was ordered")
    counter.add(2**60 + 1, {"kind": "book"})
    counter.add(1, {"kind": "book"})
    counter.add(0.5, {"kind": "tea"})
    meter.create_up_down_counter("open").add(-3)
    histogram = meter.create_histogram("size", explicit_bucket_boundaries_advisory=[1, 10])
    for size in (0.5, 5, 50):
        histogram.record(size, {"a": True})
    meter.create_histogram("default").record(42)
    meter.create_gauge("level").set(0.25)

    def asked(options: CallbackOptions) -> Iterable[Observation]:
        assert options.timeout_millis > 0
        yield metrics.Observation(5, {"cpu": 0})
        yield metrics.Observation(7, {"cpu": 1})

    def waiting() -> Generator[Iterable[Observation], CallbackOptions, None]:
        yield ()
        while True:
            yield [metrics.Observation(1.5)]

    def fails(options: CallbackOptions) -> Iterable[Observation]:
        raise OSError(options)

    meter.create_observable_counter("cpu", [fails, asked])
    meter.create_observable_up_down_counter("queue", [asked])
    meter.create_observable_gauge("heat", [waiting()])
    meter.create_observable_gauge("nobody")


def main(which: str, endpoint: str, service: str) -> None:
    server = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (provide_sdk if which == "sdk" else provide_oxflow)(endpoint, service)
    URLLibInstrumentor().instrument()
    spans()
    decorated()
    asyncio.run(tasks())
    records()
    measurements()
    requests(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
