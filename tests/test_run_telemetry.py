"""What a run sends to a real OpenTelemetry Collector: spans of batches, linked to the messages' own traces, and metrics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from oxflow import ConfigError, Map, Message, StreamSink, streaming_source, telemetry, testing
from oxflow.telemetry import Config, MetricSink, TraceSink
from pure_binary import PIPELINE, binary

if TYPE_CHECKING:
    from collector import Collector

GUIDE = (Path(__file__).parent.parent / "docs/guides/telemetry.md").read_text(encoding="utf-8")
TRACES = [f"{number:032x}" for number in (11, 12)]
PARENTS = [f"00-{trace}-00000000000000{number}-01" for trace, number in zip(TRACES, ("aa", "bb"), strict=True)]


def twice(message: Message[bytes]) -> bytes:
    return message.payload * 2


pipeline = (
    streaming_source("source", stream_name="lines")
    .apply(Map("twice", function=twice))
    .sink(StreamSink("out", stream_name="words"))
)


def messages() -> list[Message[bytes]]:
    return [Message(b"x", headers=[("traceparent", parent.encode())]) for parent in PARENTS]


def documented(kind: str) -> set[str]:
    """Names in the table of the guide: of spans, of their attributes or of metrics."""
    rows = re.findall(rf"^\| {kind} \| `([^`]+)` \|", GUIDE, re.MULTILINE)
    assert rows, kind
    return set(rows)


def points(metric: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(metric[kind] for kind in ("sum", "gauge", "histogram") if kind in metric)[
        "dataPoints"
    ]
    return found


def attribute_names(metric: dict[str, Any]) -> set[str]:
    return {pair["key"] for point in points(metric) for pair in point.get("attributes", [])}


def settings(collector: Collector, service: str) -> dict[str, Any]:
    return {"telemetry": {"endpoint": collector.grpc, "service_name": service, "resource_attributes": {"team": "a"}}}


def test_a_batch_has_a_span_with_links_and_its_runs_are_in_it(collector: Collector) -> None:
    outputs = testing.run(pipeline, {"lines": messages()}, config=settings(collector, "batches"))
    assert outputs["words"] == [b"xx", b"xx"]
    spans = {span["name"]: span for span in collector.spans("batches", 2)}
    batch, run = spans["process lines"], spans["map twice"]
    assert [link["traceId"] for link in batch["links"]] == TRACES
    assert run["traceId"] == batch["traceId"]
    assert run["parentSpanId"] == batch["spanId"]
    assert batch["attributes"]["messaging.batch.message_count"] == 2
    assert batch["resource"]["team"] == "a"
    assert {re.sub(r" .*", " …", name) for name in spans} <= documented("span") | {"map …"}
    assert set(batch["attributes"]) | set(run["attributes"]) == documented("attribute of spans")


def test_a_run_after_the_telemetry_of_the_process_has_its_own(collector: Collector) -> None:
    telemetry.init(Config("before", sinks=[TraceSink("http://127.0.0.1:9")]))
    telemetry.shutdown(0)
    testing.run(pipeline, {"lines": messages()}, config=settings(collector, "afterwards"))
    assert collector.spans("afterwards", 2)


def test_a_collector_that_is_not_there_is_told_and_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "away.yaml").write_text('telemetry: {endpoint: "http://127.0.0.1:9"}\n', encoding="utf-8")
    command = [sys.executable, "-m", "oxflow", "run", f"{__file__}:pipeline", "--quiet", "--config", "away.yaml"]
    streams = ["--stream", "lines=stdin:", "--stream", "words=file:out"]
    done = subprocess.run([*command, *streams], input=b"x\n", cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "out").read_bytes() == b"xx\n"
    assert b"traces for http://127.0.0.1:9/ were not delivered in time" in done.stderr


def test_metrics_are_those_of_the_table(collector: Collector) -> None:
    testing.run(pipeline, {"lines": messages()}, config=settings(collector, "metrics-of-a-run"))
    metrics = {metric["name"]: metric for metric in collector.metrics("metrics-of-a-run", 7)}
    # Only runs that fail on messages or read Kafka have the others.
    rest = {"oxflow.step.messages.failed", "oxflow.step.dead_letters", "oxflow.source.lag"}
    assert set(metrics) == documented("metric") - rest
    came = {
        next(pair["value"]["stringValue"] for pair in point["attributes"] if pair["key"] == "oxflow.step.name"): int(
            point["asInt"]
        )
        for point in points(metrics["oxflow.step.messages.in"])
    }
    assert came == {"source": 2, "twice": 2, "out": 2}
    assert sum(int(point["count"]) for point in points(metrics["messaging.process.duration"])) == 1
    assert attribute_names(metrics["oxflow.step.interpreter.wait"]) == {"oxflow.step.name", "oxflow.step.kind"}


def test_the_context_of_a_message_is_carried_on(collector: Collector) -> None:
    config = settings(collector, "carried")
    outputs = testing.run(pipeline, {"lines": messages()}, config=config)
    assert [dict(message.headers)["traceparent"].decode() for message in outputs.messages("words")] == PARENTS


def test_a_sampler_that_takes_nothing_sends_no_span_but_metrics(collector: Collector) -> None:
    config = settings(collector, "unsampled")
    config["telemetry"]["sample_ratio"] = 0.0
    testing.run(pipeline, {"lines": messages()}, config=config)
    assert collector.metrics("unsampled", 1)
    assert collector.spans("unsampled", 0) == []


def test_a_run_uses_the_telemetry_that_the_process_has(collector: Collector) -> None:
    telemetry.init(Config("process", sinks=[TraceSink(collector.grpc), MetricSink(collector.grpc)]))
    try:
        testing.run(pipeline, {"lines": messages()}, config=settings(collector, "not-this-one"))
        assert telemetry.force_flush(20)
    finally:
        telemetry.shutdown()
    assert {span["name"] for span in collector.spans("process", 2)} == {"process lines", "map twice"}
    assert collector.spans("not-this-one", 0) == []


@pytest.mark.parametrize(
    ("section", "why"),
    [({"endpoint": "ftp://here"}, "ftp"), ({"sample_ratio": 2.0}, "from 0 to 1"), ({"endpont": "x"}, "endpoint")],
)
def test_what_cannot_be_used_is_an_error(section: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        testing.run(pipeline, {"lines": []}, config={"telemetry": section})


def carry(tmp_path: Path, features: str, endpoint: str) -> subprocess.CompletedProcess[str]:
    """Run the program without Python on one line."""
    config = {
        "streams": {"lines": f"file:{tmp_path}/in.jsonl", "words": f"file:{tmp_path}/out.jsonl"},
        "telemetry": {"endpoint": endpoint, "service_name": "pure", "protocol": "http/protobuf"},
    }
    (tmp_path / "oxflow.yaml").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "in.jsonl").write_text('{"text": "a program without an interpreter"}\n', encoding="utf-8")
    command: list[str | Path] = [binary("pure_words", features), "run", PIPELINE, "--config", tmp_path / "oxflow.yaml"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_program_without_python_sends_its_spans(collector: Collector, tmp_path: Path) -> None:
    ended = carry(tmp_path, "otlp", collector.http)
    assert ended.returncode == 0, ended.stderr
    assert "process lines" in {span["name"] for span in collector.spans("pure", 2)}


def test_a_program_without_the_feature_says_which_one_it_lacks(tmp_path: Path) -> None:
    ended = carry(tmp_path, "", "http://localhost:1")
    assert ended.returncode == 3
    assert "build `oxflow-engine` with the feature `otlp`" in ended.stderr
