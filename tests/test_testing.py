"""Pipelines on lists, on the production engine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, TypedDict

import pytest

import oxflow
from oxflow import (
    Batch,
    DecodeError,
    Filter,
    FlatMap,
    Map,
    Message,
    Parser,
    Pipeline,
    PlanError,
    Serializer,
    StepError,
    StreamError,
    StreamSink,
    branch,
    streaming_source,
    testing,
)


class Metric(TypedDict):
    name: str
    value: int


def is_counter(msg: Message[Metric]) -> bool:
    return msg.payload["name"].startswith("c:")


def doubled(msg: Message[Metric]) -> Metric:
    return {"name": msg.payload["name"], "value": msg.payload["value"] * 2}


def refused(msg: Message[Metric]) -> Metric:
    raise LookupError(f"no unit for {msg.payload['name']}")


def letters(msg: Message[Metric]) -> list[str]:
    return list(msg.payload["name"])


def keyed(msg: Message[Metric]) -> Message[Metric]:
    return msg.replace(key=msg.payload["name"].encode(), headers=[("seen", b"yes")])


def metric(name: str, value: int) -> bytes:
    return json.dumps({"name": name, "value": value}, separators=(",", ":")).encode()


def pipeline(*steps: Any) -> Pipeline[Any]:
    chain: Any = streaming_source("in", stream_name="a").apply(Parser("parse", Metric))
    for step in steps:
        chain = chain.apply(step)
    ended: Pipeline[Any] = chain.apply(Serializer("write")).sink(StreamSink("out", stream_name="b"))
    return ended


INPUT = [metric("c:x", 1), metric("d:y", 2), metric("c:z", 3)]


def test_messages_pass_through_python_steps_in_order() -> None:
    outputs = testing.run(pipeline(Filter("counters", is_counter), Map("double", doubled)), {"a": INPUT})
    assert outputs["b"] == [metric("c:x", 2), metric("c:z", 6)]
    assert dict(outputs) == {"b": outputs["b"]}
    assert outputs.report.status == "drained"
    assert (outputs.report.messages_in, outputs.report.messages_out) == (3, 2)


def test_a_flat_map_gives_each_item_as_a_message() -> None:
    assert testing.run(pipeline(FlatMap("letters", letters)), {"a": INPUT[:1]})["b"] == [b'"c"', b'":"', b'"x"']


def test_keys_and_headers_pass_and_can_be_changed() -> None:
    given = Message(INPUT[0], key=b"k", headers=[("h", b"1")], timestamp=5.0)
    (kept,) = testing.run(pipeline(Map("double", doubled)), {"a": [given]}).messages("b")
    assert (kept.key, kept.headers, kept.timestamp) == (b"k", (("h", b"1"),), 5.0)
    (changed,) = testing.run(pipeline(Map("keyed", keyed)), {"a": [given]}).messages("b")
    assert (changed.key, changed.headers) == (b"c:x", (("seen", b"yes"),))


def test_partitions_are_lists_of_lists() -> None:
    outputs = testing.run(pipeline(), {"a": [INPUT[:1], INPUT[1:]]})
    assert sorted(outputs["b"]) == sorted(INPUT)
    assert [source.partition for source in outputs.report.sources] == [0, 1]


def test_time_moves_only_when_the_test_moves_it() -> None:
    by_time = pipeline(Batch("second", batch_timedelta=timedelta(seconds=1)))
    first, second, third = INPUT
    items: list[bytes | testing.Advance] = [first, second, testing.advance(1.5), third]
    outputs = testing.run(by_time, {"a": items})
    assert [len(json.loads(item)) for item in outputs["b"]] == [2, 1]


def test_messages_are_routed_by_key() -> None:
    side = (
        streaming_source("in", stream_name="a")
        .apply(Parser("parse", Metric))
        .route(
            "side",
            routing_function=is_counter,
            routing_table={
                True: branch("counters").apply(Serializer("write")).sink(StreamSink("out", stream_name="b")),
                False: branch("rest").apply(Serializer("write-rest")).sink(StreamSink("rest-out", stream_name="c")),
            },
        )
    )
    outputs = testing.run(side, {"a": INPUT})
    assert (len(outputs["b"]), len(outputs["c"])) == (2, 1)


def test_what_a_step_raises_is_the_cause_of_the_error() -> None:
    with pytest.raises(StepError) as caught:
        testing.run(pipeline(Map("refuse", refused)), {"a": INPUT})
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.code == "OXF0501"
    assert "`refuse`" in str(caught.value)
    assert caught.value.report is not None
    assert caught.value.report.status == "failed"


def test_a_payload_that_is_not_of_its_type_names_the_field() -> None:
    with pytest.raises(StepError) as caught:
        testing.run(pipeline(), {"a": [b'{"name":"c:x","value":"1"}']})
    assert caught.value.code == "OXF0503"
    assert isinstance(caught.value.__cause__, DecodeError)
    assert str(caught.value.__cause__) == "`value`: expected `int`, got `str`"


def test_bad_messages_can_be_skipped() -> None:
    config = {"steps": {"parse": {"on_error": "skip"}}}
    outputs = testing.run(pipeline(), {"a": [b"{", *INPUT]}, config=config)
    assert outputs["b"] == INPUT
    assert [step.skipped for step in outputs.report.steps if step.name == "parse"] == [1]


def test_a_wrong_edge_is_found_before_the_first_message() -> None:
    start: Any = streaming_source("in", stream_name="a")
    wrong = start.apply(Map("double", doubled))
    with pytest.raises(PlanError) as caught:
        testing.run(wrong.sink(StreamSink("out", stream_name="b")), {"a": INPUT})
    assert {item.code for item in caught.value.diagnostics} <= {"OXF0201", "OXF0203"}


def test_a_stream_must_be_bound() -> None:
    with pytest.raises(StreamError) as caught:
        oxflow.run(pipeline(), streams={"a": INPUT})
    assert caught.value.code == "OXF0401"


def test_run_gives_what_went_to_memory() -> None:
    report = oxflow.run(pipeline(), streams={"a": INPUT, "b": "memory:"})
    assert [message.payload for message in report.outputs["b"]] == INPUT


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (['{"a":1}'], "stream `a` holds `bytes` and `Message`s of `bytes`, not '{\"a\":1}': encode it"),
        ([["x"]], "stream `a` holds `bytes` and `Message`s of `bytes`, not 'x': encode it"),
        ([b"x", 1], "stream `a` holds `bytes` and `Message`s of `bytes`, not 1"),
        ([Message("x")], "stream `a` holds `bytes` and `Message`s of `bytes`, not 'x': encode it"),
        ([{"a": 1}], "stream `a` holds `bytes` and `Message`s of `bytes`, not {'a': 1}: encode it"),
        ({"a": 1}, "stream `a` is a list of messages, or of such lists, not {'a': 1}"),
        (b"x", "stream `a` is a list of messages, or of such lists, not b'x'"),
        (None, "stream `a` is a list of messages, or of such lists, not None"),
    ],
)
def test_what_is_no_list_of_payloads_is_refused_before_the_run(stream: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        testing.run(pipeline(), {"a": stream})
    assert str(caught.value) == text
