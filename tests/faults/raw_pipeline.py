"""Bytes from a topic to a topic, through one step that may make them longer."""

from __future__ import annotations

from oxflow import Map, Message, StreamSink, streaming_source


def grow(message: Message[bytes]) -> Message[bytes]:
    """Give `grow 5000` as so many bytes, tell deletions in a header, and leave the rest as it is."""
    word, _, size = message.payload.partition(b" ")
    if word == b"grow":
        return message.replace(payload=b"x" * int(size))
    if message.is_tombstone:
        return message.replace(headers=[("deleted", b"yes")])
    return message


pipeline = (
    streaming_source("source", stream_name="words")
    .apply(Map("grow", function=grow))
    .sink(StreamSink("out", stream_name="plain"))
)
