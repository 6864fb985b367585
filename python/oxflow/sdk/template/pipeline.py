"""Reads lines of text and writes their long words in capitals."""

import my_steps
from oxflow import Filter, FlatMap, Map, Parser, Serializer, StreamSink, streaming_source

pipeline = (
    streaming_source("lines", stream_name="lines")
    .apply(Parser("parse", my_steps.Line))
    .apply(FlatMap("words", function=my_steps.words))
    .apply(Filter("long", function=my_steps.is_long))
    .apply(Map("capitals", function=my_steps.Capitals()))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="words"))
)
