"""A source of several streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import oxflow
from oxflow import Map, Message, PlanError, StreamSink, streaming_source
from oxflow.testing import run

if TYPE_CHECKING:
    from pathlib import Path


def tell(message: Message[bytes]) -> bytes:
    origin = message.origin
    assert origin is not None
    return b"%s %s %d %d" % (message.payload, origin.stream.encode(), origin.partition, origin.offset)


PIPELINE = (
    streaming_source("source", stream_name=["orders", "returns"])
    .apply(Map("tell", function=tell))
    .sink(StreamSink("sink", stream_name="all"))
)


def test_all_streams_are_read_and_messages_tell_theirs() -> None:
    result = run(PIPELINE, {"orders": [b"a", b"b"], "returns": [b"c"]})
    assert sorted(result["all"]) == [b"a orders 0 0", b"b orders 0 1", b"c returns 1 0"]


def files(folder: Path) -> dict[str, str]:
    (folder / "orders.jsonl").write_text("1\n2\n", encoding="ascii")
    (folder / "returns.jsonl").write_text("3\n", encoding="ascii")
    return {name: f"file:{folder / name}.jsonl" for name in ("orders", "returns", "all")}


def test_files_of_all_streams_are_read_once_over_all_runs(tmp_path: Path) -> None:
    streams = files(tmp_path)
    plain: Any = streaming_source("source", stream_name=["orders", "returns"]).sink(
        StreamSink("sink", stream_name="all")
    )
    report = oxflow.run(plain, streams=streams)
    assert (report.delivery, report.messages_in) == ("exactly_once", 3)
    told = [(source.stream, source.partition, source.committed) for source in report.sources]
    # Of files the position is a byte.
    assert told == [("orders", 0, 4), ("returns", 1, 2)]
    assert sorted((tmp_path / "all.jsonl").read_text(encoding="ascii").split()) == ["1", "2", "3"]


def test_an_output_is_never_an_input_of_another_stream(tmp_path: Path) -> None:
    streams = files(tmp_path) | {"all": f"file:{tmp_path / 'returns.jsonl'}"}
    with pytest.raises(oxflow.StreamError, match="`returns`"):
        oxflow.run(PIPELINE, streams=streams)


def test_files_and_topics_are_not_mixed(tmp_path: Path) -> None:
    streams = files(tmp_path) | {"returns": "kafka://127.0.0.1:1/returns?group=g"}
    with pytest.raises(oxflow.ConfigError, match="can't read `orders` and `returns` together"):
        oxflow.run(PIPELINE, streams=streams)


def test_a_stream_is_read_once() -> None:
    twice: Any = streaming_source("source", stream_name=["a", "a"]).sink(StreamSink("sink", stream_name="all"))
    with pytest.raises(PlanError, match="stream `a` has the name of another stream"):
        run(twice, {"a": [b"1"]})


def test_a_source_reads_something() -> None:
    with pytest.raises(ValueError, match="`stream_name` is empty"):
        streaming_source("source", stream_name=[])


def test_it_reads_as_it_is_written() -> None:
    assert repr(streaming_source("in", stream_name=["a", "b"])) == 'streaming_source("in", stream_name=["a", "b"])'
