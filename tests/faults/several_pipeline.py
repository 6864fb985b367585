"""One source of two streams, whose messages tell where they come from."""

from __future__ import annotations

from oxflow import Map, Message, StreamSink, streaming_source


def tell(message: Message[bytes]) -> bytes:
    """Add stream and partition to what a message says."""
    origin = message.origin
    place = "nowhere" if origin is None else f"{origin.stream} {origin.partition}"
    return b"%s %s" % (message.payload, place.encode())


pipeline = (
    streaming_source("source", stream_name=["words", "more"])
    .apply(Map("tell", function=tell))
    .sink(StreamSink("out", stream_name="plain"))
)
