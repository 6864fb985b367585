"""Chains whose types do not meet: a type checker finds exactly the lines marked `# error`."""

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


def name_of(msg: Message[Metric]) -> str:
    return msg.payload["name"]


def wrong_field(msg: Message[steps.Word]) -> int:
    return msg.payload["number"]  # error


words = raw.apply(Parser("words", steps.Word))
raw.apply(Map("double", steps.Double()))  # error
words.apply(Map("name", name_of))  # error
parsed.apply(Map("double", steps.Double()))  # error
words.apply(Filter("double", steps.Double()))  # error
words.apply(Map("reverse", steps.reverse))  # error
words.apply(Map("class", steps.length_class)).apply(Map("double", steps.Double()))  # error
words.apply(Map("letters", steps.letters)).apply(Map("double", steps.Double()))  # error
words.apply(Map("frequent", steps.is_frequent)).apply(Map("double", steps.Double()))  # error
words.apply(FlatMap("frequent", steps.is_frequent))  # error
words.apply(Batch("ten", batch_size=10)).apply(Map("double", steps.Double()))  # error
words.apply(Map("double", steps.Double)).apply(Serializer("write"))  # error
raw.apply(Parser("words", steps.Word, codec="msgpak"))  # error
words.apply(Serializer("write", codec="yaml"))  # error
word: steps.Word = {"text": "ox"}  # error
steps.is_frequent({"text": "ox", "count": 1})  # error
nest: steps.Nest = {"inner": {"outer": None}}  # error
