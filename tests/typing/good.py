"""Chains whose types meet: a type checker finds nothing here."""

from collections.abc import Iterator
from typing import TypedDict

import test_steps as steps

from oxflow import Batch, Filter, FlatMap, Map, Message, Parser, Serializer, StreamSink, branch, streaming_source


class Metric(TypedDict):
    name: str
    value: float


def is_counter(msg: Message[Metric]) -> bool:
    return msg.payload["name"].startswith("c:")


def value_of(msg: Message[Metric]) -> float:
    return msg.payload["value"]


def keyed(msg: Message[float]) -> Message[float]:
    return msg


def digits(msg: Message[float]) -> Iterator[int]:
    return map(int, str(msg.payload))


def total(msg: Message[list[int]]) -> int:
    return sum(msg.payload)


parsed = streaming_source("in", stream_name="a").apply(Parser("parse", Metric)).apply(Filter("counters", is_counter))
summed = (
    parsed.apply(Map("value", value_of))
    .apply(Map("keyed", keyed))
    .apply(FlatMap("digits", digits))
    .apply(Batch("ten", batch_size=10))
    .apply(Map("total", total))
    .apply(Serializer("write"))
    .sink(StreamSink("out", stream_name="b"))
)
values = branch("values").apply(Map("value", value_of)).apply(Serializer("write-values"))
routed = parsed.route(
    "side",
    routing_function=is_counter,
    routing_table={
        True: values.sink(StreamSink("values-out", stream_name="c")),
        False: branch("rest").apply(Serializer("write-rest")).sink(StreamSink("rest-out", stream_name="d")),
    },
)
by_name = parsed.apply(Map("unknown", "package.module:name")).apply(Map("total", total))

words = streaming_source("words", stream_name="a").apply(Parser("parse", steps.Word))
in_rust = (
    words.apply(Filter("frequent", steps.is_frequent))
    .apply(Map("long", steps.long_only))
    .apply(Map("double", steps.Double()))
    .apply(FlatMap("letters", steps.letters))
    .apply(Batch("ten", batch_size=10))
    .apply(Map("join", steps.join))
    .apply(Serializer("write"))
    .sink(StreamSink("out", stream_name="b"))
)


def count_of(msg: Message[steps.Word]) -> int:
    return msg.payload["count"] + len(msg.payload.get("tags", {}))


def anything(msg: Message[steps.Words]) -> steps.Words:
    return msg.payload


total_of_counts = words.apply(Map("count", count_of)).apply(Batch("all", batch_size=2)).apply(Map("total", total))
unknown = streaming_source("batches", stream_name="a").apply(Parser("parse", steps.Words)).apply(Map("any", anything))
joined = unknown.apply(Map("join", steps.join)).apply(Map("double", steps.Double()))
sides = words.route(
    "length",
    routing_function=steps.length_class,
    routing_table={"long": branch("long").apply(Serializer("w")).sink(StreamSink("out", stream_name="b"))},
)
called: list[steps.Word] = steps.letters(Message({"text": "ox", "count": 1}))
reversed_bytes = streaming_source("raw", stream_name="a").apply(Map("reverse", steps.reverse))
packed = streaming_source("packed", stream_name="a").apply(Parser("parse", Metric, codec="msgpack"))
message = streaming_source("message", stream_name="a").apply(Parser("parse", steps.Reading, codec="protobuf"))
mean = message.apply(Map("mean", steps.with_mean)).apply(Serializer("write", codec="protobuf"))
both = packed.apply(Map("value", value_of)).apply(Serializer("write", codec="msgpack"))
nest: steps.Nest = {"inner": {"inner": None}}
