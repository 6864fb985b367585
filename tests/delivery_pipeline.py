"""The pipeline that `test_delivery.py` kills: branches, a flat map, a batch, steps in both languages."""

from __future__ import annotations

import test_steps

from oxflow import Batch, FlatMap, Map, Message, Parser, Serializer, StreamSink, branch, streaming_source

Word = test_steps.Word


def twice(message: Message[Word]) -> list[Word]:
    """Give each word two times, told apart by a tag."""
    return [{**message.payload, "tags": {"copy": copy}} for copy in ("a", "b")]


def texts(message: Message[list[Word]]) -> list[str]:
    """Name the words of a batch."""
    return [f"{word['text']}{word.get('tags', {}).get('copy', '')}" for word in message.payload]


def pick(message: Message[Word]) -> Word:
    """Fail on some words, alone and in rows."""
    if message.payload["count"] % 31 in {3, 7, 8}:
        raise ValueError("picked")
    return message.payload


def taste(message: Message[list[Word]]) -> list[str]:
    """Fail on some lists."""
    if any(word["count"] % 37 == 0 for word in message.payload):
        raise ValueError("distasteful")
    return texts(message)


pipeline = (
    streaming_source("source", stream_name="words")
    .apply(Parser("parse", Word))
    .broadcast(
        "all",
        routes=[
            branch("plain").apply(Serializer("s1")).sink(StreamSink("plain-out", stream_name="plain")),
            branch("rust")
            .apply(Map("double", function=test_steps.Double()))
            .apply(Serializer("s2"))
            .sink(StreamSink("rust-out", stream_name="rust")),
            branch("flat")
            .apply(FlatMap("twice", function=twice))
            .apply(Batch("seven", batch_size=7))
            .apply(Map("texts", function=texts))
            .apply(Serializer("s3"))
            .sink(StreamSink("flat-out", stream_name="flat")),
            branch("lists")
            .apply(Batch("hundred", batch_size=100))
            .apply(Map("texts-too", function=texts))
            .apply(Serializer("s4"))
            .sink(StreamSink("lists-out", stream_name="lists")),
            branch("picky")
            .apply(Map("pick", function=pick))
            .apply(Batch("five", batch_size=5))
            .apply(Map("taste", function=taste))
            .apply(Serializer("s5"))
            .sink(StreamSink("picky-out", stream_name="picky")),
        ],
    )
)
