"""What Rust extensions record reaches a real OpenTelemetry Collector: in the run's spans, in Python's, and round about."""

from __future__ import annotations

import json
import logging
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

from oxflow import Map, Message, Parser, Serializer, StreamSink, streaming_source, telemetry, testing
from oxflow.telemetry import Config, LoggingHandler, MetricSink, OtlpLogSink, TraceSink, start_span
from pure_binary import PIPELINE, binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from collector import Collector

# From `info` on: in all that `record` logs there are two records below.
LOGGED = ["100 %", "abc is odd", "by log: abc", "outside of the span"]
WORD: Any = {"text": "abc", "count": 3, "tags": {}}


@pytest.fixture(autouse=True)
def _info() -> Iterator[None]:
    """Extensions are told that somebody listens."""
    level = logging.root.level
    logging.root.setLevel(logging.INFO)
    yield
    logging.root.setLevel(level)


@pytest.fixture
def begin(collector: Collector) -> Iterator[Callable[..., None]]:
    """Begin the telemetry of this process under a name."""

    def begin(service: str, **options: Any) -> None:
        endpoint = collector.grpc
        sinks: list[Any] = [TraceSink(endpoint, **options), MetricSink(endpoint), OtlpLogSink(endpoint, level="trace")]
        telemetry.init(Config(service, sinks=sinks))

    yield begin
    telemetry.shutdown()


def carry(*functions: Any, config: dict[str, Any] | None = None) -> None:
    """Let one word go through steps."""
    chain: Any = streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
    for number, function in enumerate(functions):
        chain = chain.apply(Map(f"step{number}", function=function))
    steps = chain.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))
    testing.run(steps, {"in": [json.dumps(WORD).encode()]}, config=config)


def of_run(collector: Collector, service: str, **more: Any) -> dict[str, Any]:
    return {"telemetry": {"endpoint": collector.grpc, "service_name": service, **more}}


def named(spans: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {span["name"]: span for span in spans}


def is_in(inner: dict[str, Any], outer: dict[str, Any]) -> bool:
    return (inner["traceId"], inner.get("parentSpanId")) == (outer["traceId"], outer["spanId"])


def logs(collector: Collector, service: str, count: int) -> list[dict[str, Any]]:
    """In the order in which they were made: a request has them by scope."""
    return sorted(collector.logs(service, count), key=lambda record: int(record["timeUnixNano"]))


def place(record: dict[str, Any]) -> tuple[str, str]:
    return record.get("traceId", ""), record.get("spanId", "")


def points(metric: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(
        metric[kind]["dataPoints"] for kind in ("sum", "gauge", "histogram") if kind in metric
    )
    return found


# --- runs -----------------------------------------------------------------------------------------------------------


def test_a_span_of_an_extension_is_in_that_of_its_run_of_steps(collector: Collector) -> None:
    carry(test_steps.record, config=of_run(collector, "extension-spans"))
    spans = named(collector.spans("extension-spans", 3))
    assert is_in(spans["look"], spans["parser parse"])
    assert spans["look"]["scope"] == "test_steps.recorded"
    attributes = spans["look"]["attributes"]
    assert attributes.pop("code.file.path").endswith("recorded.rs")
    assert attributes.pop("code.line.number") > 0
    assert attributes == {"text": "abc", "length": 3, "oxflow.step.name": "step0"}


def test_log_records_arrive_with_their_place_in_the_trace(collector: Collector) -> None:
    carry(test_steps.record, config=of_run(collector, "extension-logs"))
    records = logs(collector, "extension-logs", len(LOGGED))
    spans = named(collector.spans("extension-logs", 3))
    assert [record["body"]["stringValue"] for record in records] == LOGGED
    *inside, outside = records
    assert {place(record) for record in inside} == {place(spans["look"])}
    assert place(outside) == place(spans["parser parse"])
    assert [record["severityText"] for record in records] == ["INFO", "WARN", "WARN", "ERROR"]
    assert {record["scope"] for record in records} == {"test_steps.recorded", "test_steps.elsewhere"}
    fields = inside[0]["attributes"]
    assert (fields["flag"], fields["share"], fields["big"]) == (True, 0.5, str(2**64 - 1))
    assert fields["oxflow.step.name"] == "step0"


def test_measurements_arrive_as_instruments_of_the_module(collector: Collector) -> None:
    carry(test_steps.record, config=of_run(collector, "extension-metrics"))
    found = {
        metric["name"]: metric
        for metric in collector.metrics("extension-metrics", 9)
        if metric["scope"] == "test_steps"
    }
    assert set(found) == {"words", "lengths", "last_count", "by_letter"}
    assert found["words"]["description"] == "words that were looked at"
    assert (found["words"]["sum"]["isMonotonic"], points(found["words"])[0]["asInt"]) == (True, "1")
    assert points(found["last_count"])[0]["asDouble"] == 3.0
    assert (points(found["lengths"])[0]["count"], points(found["lengths"])[0]["sum"]) == ("1", 3.0)
    (letter,) = points(found["by_letter"])[0]["attributes"]
    assert letter == {"key": "letter", "value": {"stringValue": "a"}}


def test_a_thread_of_an_extension_is_in_the_run(collector: Collector) -> None:
    carry(test_steps.warn_elsewhere, config=of_run(collector, "extension-threads"))
    alone, lent = logs(collector, "extension-threads", 2)
    assert place(alone) == ("", "")
    assert place(lent) == place(named(collector.spans("extension-threads", 3))["lent"])


def test_what_the_sampler_does_not_take_has_no_span_of_an_extension_either(collector: Collector) -> None:
    carry(test_steps.record, config=of_run(collector, "extension-unsampled", sample_ratio=0.0))
    records = logs(collector, "extension-unsampled", len(LOGGED))
    assert all(record["traceId"] for record in records)
    assert collector.spans("extension-unsampled", 0) == []


def test_no_log_records_where_the_variable_says_so(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    carry(test_steps.record, config=of_run(collector, "extension-no-logs"))
    assert collector.spans("extension-no-logs", 3)
    assert collector.logs("extension-no-logs", 0) == []


# --- the telemetry of the process -----------------------------------------------------------------------------------


def test_a_call_in_a_span_of_python_is_in_it(collector: Collector, begin: Callable[..., None]) -> None:
    begin("direct")
    with start_span("outer") as outer:
        test_steps.record(Message(WORD))
        traceparent = test_steps.traceparent(Message(WORD))
    assert telemetry.force_flush(20)
    # The last part are flags.
    assert traceparent.split("-")[:3] == outer.traceparent().split("-")[:3]
    spans = named(collector.spans("direct", 2))
    assert is_in(spans["look"], spans["outer"])
    records = logs(collector, "direct", len(LOGGED))
    assert [place(record) for record in records] == [place(spans["look"])] * 3 + [place(spans["outer"])]
    assert "words" in {metric["name"] for metric in collector.metrics("direct", 4)}


def test_a_call_in_no_span_begins_a_trace(collector: Collector, begin: Callable[..., None]) -> None:
    begin("alone")
    test_steps.record(Message(WORD))
    assert telemetry.force_flush(20)
    (span,) = collector.spans("alone", 1)
    assert (span["name"], span.get("parentSpanId", "")) == ("look", "")


def test_a_call_in_a_span_that_is_not_taken_makes_none(collector: Collector, begin: Callable[..., None]) -> None:
    begin("direct-unsampled", sampler="parentbased_always_off")
    with start_span("outer"):
        test_steps.record(Message(WORD))
    assert telemetry.force_flush(20)
    assert logs(collector, "direct-unsampled", len(LOGGED))
    assert collector.spans("direct-unsampled", 0) == []


def call_in_a_span(message: Message[Any]) -> Any:
    with start_span("python"):
        return test_steps.record(message)


def test_run_python_and_extension_are_one_trace(collector: Collector, begin: Callable[..., None]) -> None:
    """Batch, step of Python, span of Python, span of the extension that it calls; and back in the step after it."""
    begin("whole")
    carry(call_in_a_span, test_steps.record)
    assert telemetry.force_flush(20)
    spans = collector.spans("whole", 7)
    by_name = named(spans)
    first, second = sorted(
        (span for span in spans if span["name"] == "look"), key=lambda span: span["startTimeUnixNano"]
    )
    assert is_in(by_name["python"], by_name["map step0"])
    assert is_in(first, by_name["python"])
    assert is_in(second, by_name["map step1"])
    assert {span["traceId"] for span in spans} == {by_name["process in"]["traceId"]}


def test_a_record_that_was_sent_is_not_sent_again_by_the_handler(
    collector: Collector, begin: Callable[..., None]
) -> None:
    begin("once")
    handler = LoggingHandler()
    logging.root.addHandler(handler)
    try:
        test_steps.record(Message(WORD))
        logging.getLogger("after").warning("the last one")
    finally:
        logging.root.removeHandler(handler)
    assert telemetry.force_flush(20)
    records = logs(collector, "once", len(LOGGED) + 1)
    assert [record["body"]["stringValue"] for record in records] == [*LOGGED, "the last one"]


# --- without Python -------------------------------------------------------------------------------------------------


def test_a_program_without_python_sends_what_its_functions_record(collector: Collector, tmp_path: Path) -> None:
    config = {
        "streams": {"lines": f"file:{tmp_path}/in.jsonl", "words": f"file:{tmp_path}/out.jsonl"},
        "steps": {"capitals": {"on_error": "skip"}},
        "telemetry": {"endpoint": collector.http, "service_name": "pure-records", "protocol": "http/protobuf"},
    }
    (tmp_path / "oxflow.yaml").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "in.jsonl").write_text('{"text": "ab12"}\n', encoding="utf-8")
    command: list[str | Path] = [binary("pure_words", "otlp"), "run", PIPELINE, "--config", tmp_path / "oxflow.yaml"]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    (record,) = logs(collector, "pure-records", 1)
    spans = named(collector.spans("pure-records", 2))
    assert record["body"]["stringValue"] == "there are digits in a word"
    assert record["attributes"]["word"] == "ab12"
    assert place(record) == place(spans["parser parse"])
