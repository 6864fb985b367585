"""Chains whose types do not meet: a type checker finds exactly the lines marked `# error`."""

from typing import TypedDict

from oxflow import Filter, Map, Message, Parser, Serializer, StreamSink, branch, streaming_source


class Metric(TypedDict):
    name: str
    value: float


def is_counter(msg: Message[Metric]) -> bool:
    return msg.payload["name"].startswith("c:")


def value_of(msg: Message[Metric]) -> float:
    return msg.payload["value"]


raw = streaming_source("in", stream_name="a")
parsed = raw.apply(Parser("parse", Metric))
values = parsed.apply(Map("value", value_of))

raw.apply(Filter("counters", is_counter))  # error
values.apply(Map("value", value_of))  # error
values.sink(StreamSink("out", stream_name="b"))  # error
ended = values.apply(Serializer("write")).sink(StreamSink("out", stream_name="b"))
ended.apply(Map("value", value_of))  # error
counters = branch("counters").apply(Filter("counters", is_counter)).apply(Serializer("write"))
values.broadcast("all", routes=[counters.sink(StreamSink("out", stream_name="b"))])  # error
parsed.broadcast("all", routes=[counters])  # error
