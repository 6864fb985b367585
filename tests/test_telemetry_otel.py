"""OpenTelemetry's API on oxflow: what is written for it runs unchanged, and gives what its SDK gives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from collector import attributes
from oxflow import telemetry
from oxflow.telemetry import Config, TraceSink, otel, start_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector import Collector

HERE = Path(__file__).parent
SPANS, METRICS, RECORDS = 24, 11, 7
KINDS = ("sum", "gauge", "histogram")


def ran(which: str, collector: Collector) -> str:
    """The service that a run of the program was."""
    service = f"program-{which}"
    command = [sys.executable, str(HERE / "otel_program.py"), which, collector.http, service]
    # The end of the process delivers.
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return service


def normal(found: list[dict[str, Any]]) -> list[Any]:
    """Without what differs from run to run: times, ports, places in the libraries, and the SDK's own name."""
    for record in found:
        resource = record["resource"]
        assert resource["telemetry.sdk.language"] == "python"
        record["resource"] = resource["deployment.environment.name"]
        record.pop("traceId", None)
        record.pop("spanId", None)
    text = json.dumps(found, sort_keys=True)
    text = re.sub(r'"(\w*[tT]imeUnixNano)": "(\d{18,})"', r'"\1": "now"', text)
    text = re.sub(r"127\.0\.0\.1:\d+", "server", text)
    # A stack is as deep as the library that catches.
    text = re.sub(r"File [^ ]*(opentelemetry|contextlib)[^ ]* line \d+, in \w+\\n +[^\\]*\\n *", "", text)
    return sorted(json.loads(text), key=lambda record: json.dumps(record, sort_keys=True))


def spans_of(collector: Collector, service: str) -> list[Any]:
    """All spans of a service, with names in place of the identities that lead to others."""
    spans = collector.spans(service, SPANS)
    names = {span["spanId"]: span["name"] for span in spans}
    traces: dict[str, list[str]] = {}
    for span in spans:
        traces.setdefault(span["traceId"], []).append(span["name"])
    for span in spans:
        span["parent"] = names.get(span.pop("parentSpanId", ""))
        span["trace"] = sorted(traces[span["traceId"]])
        # The SDK leaves out whether the trace is sampled.
        span["flags"] &= ~0xFF
        for link in span.get("links", []):
            link["flags"] &= ~0xFF
            link["to"] = names[link.pop("spanId")]
            del link["traceId"]
    return normal(spans)


def metrics_of(collector: Collector, service: str) -> list[Any]:
    found = collector.metrics(service, METRICS)
    for metric in found:
        points: list[dict[str, Any]] = next(metric[kind]["dataPoints"] for kind in KINDS if kind in metric)
        for point in points:
            # A set: the SDK keeps the order of the first measurement.
            point["attributes"] = attributes(point.get("attributes", []))
            # The time that a request took.
            if metric["name"] == "http.client.duration":
                point.update(sum=0, min=0, max=0, bucketCounts=[])
        points.sort(key=lambda point: json.dumps(point["attributes"], sort_keys=True))
    return normal(found)


def logs_of(collector: Collector, service: str) -> list[Any]:
    names = {span["spanId"]: span["name"] for span in collector.spans(service, SPANS)}
    found = collector.logs(service, RECORDS)
    for record in found:
        record["span"] = names.get(record.get("spanId", ""))
    return normal(found)


def test_a_program_gives_what_it_gives_with_the_sdk(collector: Collector) -> None:
    wanted, found = ran("sdk", collector), ran("oxflow", collector)
    for read in (spans_of, metrics_of, logs_of):
        assert read(collector, found) == read(collector, wanted)


INSTRUMENTED = """
import logging, urllib.request
from opentelemetry import trace
assert type(trace.get_tracer_provider()).__module__.startswith("oxflow")
with trace.get_tracer("program").start_as_current_span("work"):
    logging.warning("told")
    try:
        urllib.request.urlopen("http://127.0.0.1:1/")
    except OSError:
        pass
"""


def test_opentelemetry_instrument_finds_the_providers(collector: Collector) -> None:
    signals = ("TRACER", "METER", "LOGGER")
    environment = {
        **os.environ,
        **{f"OTEL_PYTHON_{signal}_PROVIDER": "oxflow" for signal in signals},
        "OTEL_SERVICE_NAME": "instrumented",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc,
    }
    command = [str(Path(sys.executable).parent / "opentelemetry-instrument"), sys.executable, "-c", INSTRUMENTED]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    spans = {span["name"]: span for span in collector.spans("instrumented", 2)}
    assert spans["GET"]["parentSpanId"] == spans["work"]["spanId"]
    assert spans["GET"]["scope"] == "opentelemetry.instrumentation.urllib"
    (told,) = collector.logs("instrumented", 1)
    assert (told["body"], told["spanId"]) == ({"stringValue": "told"}, spans["work"]["spanId"])


@pytest.fixture
def tracer(collector: Collector, request: pytest.FixtureRequest) -> Iterator[trace.Tracer]:
    """A tracer of the API, of a service that has the name of the test."""
    provider = otel.TracerProvider(Config(request.node.name, sinks=[TraceSink(collector.grpc)]))
    yield provider.get_tracer("library")
    provider.shutdown()


def test_native_spans_and_those_of_the_api_nest_both_ways(
    collector: Collector, tracer: trace.Tracer, request: pytest.FixtureRequest
) -> None:
    # To checkers ours is no span of the API, which it becomes when that is loaded.
    outer: Any = start_span("outer")
    api: Any
    with outer:
        current: Any = trace.get_current_span()
        assert current is outer
        with tracer.start_as_current_span("api", kind=trace.SpanKind.CLIENT) as api:
            assert [telemetry.current_span()] == [api]
            assert issubclass(type(api), trace.Span)
            assert (api.kind, api.name, api.attributes) == (trace.SpanKind.CLIENT, "api", {})
            start_span("inner").end()
        with trace.use_span(outer):
            tracer.start_span("used").end()
    assert telemetry.current_span() is None
    assert telemetry.force_flush(20)
    spans = {span["name"]: span for span in collector.spans(request.node.name, 4)}
    parents = {name: span.get("parentSpanId") for name, span in spans.items()}
    outer_id, api_id = spans["outer"]["spanId"], spans["api"]["spanId"]
    assert parents == {"outer": None, "api": outer_id, "inner": api_id, "used": outer_id}


def test_a_span_has_the_context_of_the_api(tracer: trace.Tracer) -> None:
    span = tracer.start_span("one")
    context = span.get_span_context()
    assert context is span.get_span_context()
    assert (context.is_valid, context.is_remote, context.trace_flags.sampled) == (True, False, True)
    remote = trace.SpanContext(7, 8, True, trace.TraceFlags(1), trace.TraceState([("vendor", "x")]))
    child = tracer.start_span("two", trace.set_span_in_context(trace.NonRecordingSpan(remote)))
    inherited = child.get_span_context()
    assert (inherited.trace_id, inherited.trace_state.get("vendor")) == (7, "x")


def test_a_span_is_current_in_one_with_at_a_time(tracer: trace.Tracer) -> None:
    manager = tracer.start_as_current_span("again")
    with manager as one, pytest.raises(RuntimeError, match="begun already"), manager:
        pass
    with manager as other:
        assert one is not other
    assert not other.is_recording()


def test_what_stops_a_task_is_no_error_of_a_span(tracer: trace.Tracer) -> None:
    span: Any
    for error in (GeneratorExit, KeyboardInterrupt):
        with pytest.raises(error), tracer.start_as_current_span("stopped") as span:
            raise error
        assert span.events == []


def test_providers_share_one_telemetry(collector: Collector) -> None:
    config = Config("shared", sinks=[TraceSink(collector.grpc)])
    traces, meters = otel.TracerProvider(config), otel.MeterProvider(config)
    with pytest.raises(ValueError, match="the same `Config`"):
        otel.LoggerProvider(Config("other"))
    otel.LoggerProvider().shutdown()
    traces.get_tracer("library").start_span("one").end()
    traces.shutdown()
    # What comes amid the ends of providers is not lost.
    traces.get_tracer("library").start_span("two").end()
    meters.shutdown()
    assert {span["name"] for span in collector.spans("shared", 2)} == {"one", "two"}
    # The last one has ended.
    traces.get_tracer("library").start_span("late").end()
    assert telemetry.stats().made == telemetry.stats().delivered == 2


def test_the_api_is_loaded_by_nobody_but_its_users() -> None:
    program = (
        "import sys; from oxflow.telemetry import *; start_span('a').end(); assert 'opentelemetry' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
