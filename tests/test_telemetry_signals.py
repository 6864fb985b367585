"""Metrics, log records and headers, as they arrive at a real Collector."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from oxflow import telemetry
from oxflow.telemetry import Config, LoggingHandler, MetricSink, OtlpLogSink, TraceSink, View, start_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector import Collector

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, SPAN = PARENT.split("-")[1:3]


@pytest.fixture
def service(collector: Collector, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service whose records of all kinds go to the Collector."""
    name = request.node.name
    address = collector.grpc
    telemetry.init(Config(name, sinks=[TraceSink(address), MetricSink(address), OtlpLogSink(address)]))
    yield name
    telemetry.shutdown()


# --- metrics --------------------------------------------------------------------------------------------------------


def points(metric: dict[str, Any]) -> list[dict[str, Any]]:
    kind = next(kind for kind in ("sum", "gauge", "histogram", "exponentialHistogram") if kind in metric)
    found: list[dict[str, Any]] = metric[kind]["dataPoints"]
    return found


def metrics(collector: Collector, service: str, count: int) -> dict[str, dict[str, Any]]:
    assert telemetry.force_flush(20)
    return {metric["name"]: metric for metric in collector.metrics(service, count)}


EARLY = telemetry.get_meter("early").counter("early_counter")


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (View(boundaries=[1, 5, 5]), "`boundaries` of a view are .* they are finite and ascend"),
        (View(boundaries=[1, float("inf")]), "finite and ascend"),
        (View(boundaries=[1], aggregation="sum"), "with `boundaries` is a `histogram`, not `sum`"),
        (View(aggregation="exponential_histogram", max_size=1), "at least 2 buckets"),
        (View(aggregation="exponential_histogram", max_scale=21), "from -10 to 20"),
    ],
)
def test_a_view_that_says_what_cannot_be_is_refused(view: View, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        telemetry.init(Config("refused", sinks=[MetricSink("http://127.0.0.1:1")], views=[view]))


def test_sums_are_exact(collector: Collector, service: str) -> None:
    meter = telemetry.get_meter("shop", "1.0")
    orders = meter.counter("orders", unit="1", description="what was ordered")
    orders.add(2**60 + 1)
    orders.add(1, attributes={"kind": "book"})
    orders.add(-5)
    meter.counter("orders", unit="1", description="what was ordered").add(1, {"kind": "book"})
    weight = meter.up_down_counter("weight")
    weight.add(0.5)
    weight.add(-2)
    meter.gauge("heat").set(7)
    EARLY.add(3)
    found = metrics(collector, service, 4)
    ours = {point.get("attributes") and "book": point["asInt"] for point in points(found["orders"])}
    assert ours == {None: str(2**60 + 1), "book": "2"}
    assert (found["orders"]["unit"], found["orders"]["scope"]) == ("1", "shop")
    assert found["orders"]["sum"]["isMonotonic"] is True
    assert "isMonotonic" not in found["weight"]["sum"]
    assert points(found["weight"])[0]["asDouble"] == -1.5
    assert points(found["heat"])[0]["asInt"] == "7"
    assert points(found["early_counter"])[0]["asInt"] == "3"
    with pytest.raises(TypeError, match="a number is measured"):
        orders.add("many")  # type: ignore[arg-type]


def test_distributions(collector: Collector, service: str) -> None:
    histogram = telemetry.get_meter("shop").histogram("size", boundaries=[1, 10])
    for value in (0.5, 1, 5, 50):
        histogram.record(value)
    point = points(metrics(collector, service, 1)["size"])[0]
    assert point["bucketCounts"] == ["2", "1", "1"]
    assert (point["explicitBounds"], point["sum"], point["min"], point["max"]) == ([1, 10], 56.5, 0.5, 50)
    with pytest.raises(ValueError, match="ascend"):
        telemetry.get_meter("shop").histogram("wrong", boundaries=[2, 1])


def test_who_is_asked_may_fail(collector: Collector, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", raised.append)
    meter = telemetry.get_meter("asked")
    meter.observable_gauge("one", lambda: 5)
    meter.observable_counter("some", lambda: [(1, {"a": 1}), (2, {"a": 2})])
    # Instruments live as long as the process: later tests ask it, too.
    failing = [True]
    meter.observable_up_down_counter("broken", lambda: 1 // 0 if failing else None)
    found = metrics(collector, service, 2)
    failing.clear()
    assert points(found["one"])[0]["asInt"] == "5"
    assert sorted(point["asInt"] for point in points(found["some"])) == ["1", "2"]
    assert isinstance(raised[0].exc_value, ZeroDivisionError)


def test_views_and_deltas(collector: Collector) -> None:
    sink = MetricSink(
        collector.http + "/v1/metrics", "http/protobuf", temporality="delta", export_interval_ms=3_600_000
    )
    fine = View(instrument="viewed.*", name="seen", attribute_keys=["a"], aggregation="exponential_histogram")
    telemetry.init(Config("viewed", sinks=[sink], views=[fine, View(meter="hidden", aggregation="drop")]))
    telemetry.get_meter("hidden").counter("hidden").add(1)
    histogram = telemetry.get_meter("shop").histogram("viewed.size")
    for value in (1.0, 4.0):
        histogram.record(value, {"a": "x", "b": value})
    found = metrics(collector, "viewed", 1)
    point = points(found["seen"])[0]
    assert (point["count"], len(point["attributes"])) == ("2", 1)
    assert found["seen"]["exponentialHistogram"]["aggregationTemporality"] == 1
    telemetry.shutdown()


# --- log records ----------------------------------------------------------------------------------------------------


def test_records_carry_their_place_in_the_trace(collector: Collector, service: str) -> None:
    logger = telemetry.get_logger("shop.cart", "2")
    with start_span("paying") as span:
        logger.info("paid", attributes={"cents": 995, "list": [1, "a"], "nothing": None})
    logger.fatal({"a": 1})
    logger.emit(6, "custom", {"x": 1}, severity_text="NOTE", time_ns=5, event_name="noted")
    assert telemetry.force_flush(20)
    by_text = {record["severityText"]: record for record in collector.logs(service, 3)}
    paid, fatal, custom = by_text["INFO"], by_text["FATAL"], by_text["NOTE"]
    assert (paid["traceId"], paid["spanId"], paid["flags"]) == (span.trace_id(), span.span_id(), 3)
    assert paid["attributes"] == {"cents": 995, "list": [1, "a"], "nothing": None}
    assert (paid["scope"], paid["severityNumber"], paid["body"]) == ("shop.cart", 9, {"stringValue": "paid"})
    assert (fatal["severityNumber"], fatal.get("traceId", "")) == (21, "")
    assert fatal["body"]["kvlistValue"]["values"][0]["key"] == "a"
    assert (custom["severityNumber"], custom["timeUnixNano"], custom["eventName"]) == (6, "5", "noted")


def test_logging_arrives(collector: Collector, service: str) -> None:
    log = logging.getLogger("of.the.standard.library")
    handler = LoggingHandler()
    log.addHandler(handler)
    log.setLevel(1)
    try:
        with start_span("inside") as span:
            log.warning("%s of %d", "one", 2, extra={"user": 7})
        try:
            os.environ["GONE_FOR_GOOD"]
        except KeyError:
            log.exception("failed")
        log.log(5, "low")
        log.critical("high")
        log.log(25, "between")
        handler.setFormatter(logging.Formatter("<%(message)s>"))
        log.info("formatted")
    finally:
        log.removeHandler(handler)
    assert telemetry.force_flush(20)
    records = {record["body"]["stringValue"]: record for record in collector.logs(service, 6)}
    one = records["one of 2"]
    assert (one["traceId"], one["spanId"]) == (span.trace_id(), span.span_id())
    assert (one["severityNumber"], one["severityText"], one["scope"]) == (13, "WARN", "of.the.standard.library")
    assert one["attributes"]["user"] == 7
    assert one["attributes"]["code.function.name"] == "test_logging_arrives"
    assert records["failed"]["attributes"]["exception.type"] == "KeyError"
    numbers = {body: record["severityNumber"] for body, record in records.items()}
    assert numbers == {"one of 2": 13, "failed": 17, "low": 1, "high": 21, "between": 12, "<formatted>": 9}


# --- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT, "tracestate": "a=b"},
        {"Traceparent": PARENT, "TraceState": "a=b"},
        {"TRACEPARENT": PARENT, "TRACESTATE": "a=b"},
        [(b"traceparent", PARENT.encode()), (b"tracestate", b"a=b")],
        {"traceparent": [PARENT], "tracestate": ["a=b"]},
    ],
)
def test_headers_are_read_in_any_form(service: str, headers: Any) -> None:
    with telemetry.extract_headers(headers) as extracted, start_span("served", kind="server") as span:
        assert (span.trace_id(), span.parent_id()) == (TRACE, SPAN)
        assert extracted.span is not None
        sent: dict[str, str] = {}
        telemetry.inject_headers(sent)
        assert sent == {"traceparent": span.traceparent(), "tracestate": "a=b"}
    assert telemetry.current_span() is None


def test_baggage_goes_on(service: str) -> None:
    with start_span("outer"), telemetry.extract_headers({"Baggage": "user=al%69ce,broken"}), start_span("root") as root:
        assert root.parent_id() is None
        assert telemetry.get_baggage() == {"user": "alice"}
        pairs: list[tuple[str, str]] = []
        telemetry.inject_headers(pairs)
        assert pairs == [("traceparent", root.traceparent()), ("baggage", "user=alice")]
    assert telemetry.get_baggage() == {}


def test_baggage_is_there_before_anybody_loads_the_module_of_it() -> None:
    # In a process of its own: once it is loaded it stays.
    program = (
        "import opentelemetry.trace\n"
        "from oxflow import telemetry\n"
        "with telemetry.extract_headers({'baggage': 'user=alice'}):\n"
        "    from opentelemetry import baggage\n"
        "    print(telemetry.get_baggage(), dict(baggage.get_all()))\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "{'user': 'alice'} {'user': 'alice'}\n"


def test_b3_is_spoken_where_it_is_wanted(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN, "X-B3-Sampled": "1"}
    with telemetry.extract_headers(headers) as extracted:
        assert extracted.span is None
    monkeypatch.setenv("OTEL_PROPAGATORS", "b3,b3multi")
    for carrier in (headers, {"b3": f"{TRACE}-{SPAN}-1"}):
        with telemetry.extract_headers(carrier), start_span("b3") as span:
            assert span.parent_id() == SPAN
            sent: dict[str, str] = {}
            telemetry.inject_headers(sent)
            assert sent["b3"] == f"{TRACE}-{span.span_id()}-1"
            assert sent["x-b3-spanid"] == span.span_id()
    monkeypatch.setenv("OTEL_PROPAGATORS", "pigeon")
    with pytest.raises(ValueError, match="pigeon"):
        telemetry.extract_headers({})


def test_a_context_that_is_restored_elsewhere_harms_nobody(service: str) -> None:
    async def work() -> None:
        extracted = telemetry.extract_headers({"traceparent": PARENT})
        extracted.__enter__()

        async def restore() -> None:
            extracted.restore()

        await asyncio.create_task(restore())
        assert telemetry.current_span() is not None

    asyncio.run(work())
    for wrong in (5, [1], [("a", "b", "c")]):
        with pytest.raises(TypeError, match="mapping of names"):
            telemetry.extract_headers(wrong)  # type: ignore[arg-type]
