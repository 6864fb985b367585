"""Each kind of step counts each message once, whoever does the work."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Batch, Filter, FlatMap, Map, Message, Parser, Serializer, StreamSink, branch
from oxflow.testing import run

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
WORDS = [json.dumps({"text": text, "count": count, "tags": {}}).encode() for text, count in [("a", 1), ("long", 2)]]


def is_frequent(message: Message[Json]) -> bool:
    count: int = message.payload["count"]
    return count > 1


def letters(message: Message[Json]) -> list[Json]:
    return [{**message.payload, "text": letter} for letter in message.payload["text"]]


def length_class(message: Message[Json]) -> str:
    return "long" if len(message.payload["text"]) > 3 else "short"


def same(message: Message[Json]) -> Json:
    return message.payload


# After which the step meets JSON of Rust (`Word`), or objects of Python.
PARSERS: Mapping[str, type[Any]] = {"Rust values": test_steps.Word, "Python objects": Json}


@pytest.mark.parametrize("msg_type", PARSERS.values(), ids=PARSERS)
@pytest.mark.parametrize(
    ("step", "out"),
    [
        (Map("step", function=same), 2),
        (Map("step", function=test_steps.Double()), 2),
        (Map("step", function=test_steps.long_only), 1),
        (FlatMap("step", function=letters), 5),
        (FlatMap("step", function=test_steps.letters), 5),
        (Filter("step", function=is_frequent), 1),
        (Filter("step", function=test_steps.is_frequent), 1),
        (Filter("step", function=test_steps.is_frequent_by_value), 1),
        (Batch("step", batch_size=2), 1),
    ],
    ids=[
        "Python map",
        "Rust map",
        "Rust map to an Option",
        "Python flat map",
        "Rust flat map",
        "Python filter",
        "Rust filter",
        "Rust filter by value",
        "batch",
    ],
)
def test_a_step_counts_what_comes_in_and_what_goes_out(msg_type: type[Any], step: Any, out: int) -> None:
    start: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", msg_type)).apply(step)
    pipeline = start.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))
    report = run(pipeline, {"in": WORDS}).report
    assert [(step.name, step.messages_in, step.messages_out) for step in report.steps] == [
        ("source", 2, 2),
        ("parse", 2, 2),
        ("step", 2, out),
        ("serialize", out, out),
        ("sink", out, out),
    ]


@pytest.mark.parametrize("msg_type", PARSERS.values(), ids=PARSERS)
@pytest.mark.parametrize("function", [length_class, test_steps.length_class], ids=["Python", "Rust"])
def test_a_route_counts_each_message_once(msg_type: type[Any], function: Any) -> None:
    def way(name: str) -> Any:
        return branch(name).apply(Serializer(f"to-{name}")).sink(StreamSink(f"sink-{name}", stream_name=name))

    start: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", msg_type))
    table = {"short": way("short"), "long": way("long")}
    report = run(start.route("route", routing_function=function, routing_table=table), {"in": WORDS}).report
    assert [(step.name, step.messages_in, step.messages_out) for step in report.steps if "-" not in step.name] == [
        ("source", 2, 2),
        ("parse", 2, 2),
        ("route", 2, 2),
    ]


def test_a_broadcast_counts_what_every_branch_gets() -> None:
    ways = [branch(name).sink(StreamSink(f"sink-{name}", stream_name=name)) for name in "abc"]
    pipeline = oxflow.streaming_source("source", stream_name="in").broadcast("all", routes=ways)
    step = next(step for step in run(pipeline, {"in": WORDS}).report.steps if step.name == "all")
    assert (step.messages_in, step.messages_out) == (2, 6)


def test_the_time_of_a_routing_function_is_counted_once() -> None:
    def slow(_: Message[bytes]) -> str:
        time.sleep(0.05)
        return "a"

    pipeline = oxflow.streaming_source("source", stream_name="in").route(
        "route",
        routing_function=slow,
        routing_table={"a": branch("a").sink(StreamSink("sink", stream_name="out"))},
    )
    started = time.monotonic()
    step = next(step for step in run(pipeline, {"in": WORDS}).report.steps if step.name == "route")
    assert 0.1 <= step.time_s <= time.monotonic() - started


def not_b(message: Message[Json]) -> Json:
    if message.payload["text"] == "b":
        raise ValueError("b")
    return message.payload


def bad_words(message: Message[Json]) -> list[Json]:
    return [{**message.payload, "text": "bad" if letter == "b" else "a"} for letter in message.payload["text"]]


@pytest.mark.parametrize("after", [Map("step", function=not_b), Map("step", function=test_steps.check)])
@pytest.mark.parametrize("before", [letters, test_steps.letters])
@pytest.mark.parametrize("policy", ["skip", "dead_letter"])
def test_a_message_that_fails_in_several_outputs_is_skipped_or_sent_once(before: Any, after: Any, policy: str) -> None:
    """Whatever runs with what: the outputs may be in one run with the step or come to it as messages of their own."""
    word = "b" if after.function is not_b else "bad"
    source: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", Json))
    split = FlatMap("split", function=before if word == "b" else bad_words)
    pipeline = source.apply(split).apply(after).apply(Serializer("out")).sink(StreamSink("sink", stream_name="out"))
    given = [json.dumps({"text": text, "count": 1, "tags": {}}).encode() for text in ("abb", "bbb", "aaa")]
    report = run(pipeline, {"in": given}, config={"steps": {"step": {"on_error": policy}}}).report
    (counts,) = [step for step in report.steps if step.name == "step"]
    assert (counts.messages_in, counts.messages_out, counts.errors) == (9, 4, 5)
    assert (counts.skipped, counts.dead_lettered) == ((2, 0) if policy == "skip" else (0, 2))
    assert len(report.skipped) == counts.skipped


def test_a_list_that_fails_is_skipped_with_all_its_messages() -> None:
    def fails(message: Message[Any]) -> Any:
        raise ValueError(message)

    source: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", Json))
    batched = source.apply(Batch("batch", batch_size=3)).apply(Map("step", function=fails)).apply(Serializer("out"))
    pipeline = batched.sink(StreamSink("sink", stream_name="out"))
    report = run(pipeline, {"in": WORDS * 3}, config={"steps": {"step": {"on_error": "skip"}}}).report
    (counts,) = [step for step in report.steps if step.name == "step"]
    assert (counts.messages_in, counts.errors, counts.skipped) == (2, 2, 6)
