"""oxflow's contestants that are not in the examples."""

from __future__ import annotations

from work import whole

from oxflow import Map, Message, StreamSink, streaming_source


def one(msg: Message[bytes]) -> bytes:
    """The whole job in one map."""
    return whole(msg.payload)


one_map = (
    streaming_source("metrics", stream_name="ingest-metrics")
    .apply(Map("whole", function=one))
    .sink(StreamSink("out", stream_name="transformed-metrics"))
)
nothing = streaming_source("metrics", stream_name="ingest-metrics").sink(
    StreamSink("out", stream_name="transformed-metrics")
)
