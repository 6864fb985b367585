"""What a report tells while the run goes on: where the lanes are, what is in flight, how far the files were read."""

from __future__ import annotations

import gzip
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

from oxflow import Batch, Map, Message, Parser, Serializer, StreamSink, _oxflow, branch, streaming_source
from oxflow._run import bind
from oxflow.codec import encode, encode_msgpack
from oxflow.plan import lower
from oxflow.report import RunReport, StepReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# After which a test fails instead of waiting on.
PATIENCE_S = 30
WORD = b'{"text":"%s","count":1,"tags":{}}'


class Looked:
    """A run that goes on, and what it reports at any moment."""

    def __init__(self, pipeline: Any, streams: dict[str, Any], config: dict[str, Any] | None = None) -> None:
        bound = bind(lower(pipeline), streams=streams, config=config)
        bound.check()
        functions, decoders = dict(bound.plan.functions), dict(bound.plan.decoders)
        text, settings = bound.plan.text, json.dumps(bound.config)
        self.run = _oxflow.Run(
            text, settings, functions, decoders, (encode, encode_msgpack), dict(bound.memory), manual_clock=False
        )
        self.run.start()

    def report(self) -> RunReport:
        return RunReport.from_json(self.run.report(), {})

    def step(self, name: str) -> StepReport:
        return next(step for step in self.report().steps if step.name == name)

    def until(self, true: Callable[[], bool]) -> None:
        last = time.monotonic() + PATIENCE_S
        while not true():
            assert not self.run.wait(0.01), "the run has ended before"
            assert time.monotonic() < last, self.report()

    def ended(self) -> RunReport:
        assert self.run.wait(30)
        return self.report()


def source() -> Any:
    return streaming_source("source", stream_name="in")


def sink(name: str = "sink") -> StreamSink:
    return StreamSink(name, stream_name="out")


def test_the_step_that_takes_long_is_the_busy_one() -> None:
    go = threading.Event()

    def wait(message: Message[bytes]) -> bytes:
        go.wait(30)
        return message.payload

    looked = Looked(source().apply(Map("wait", function=wait)).sink(sink()), {"in": [b"x"] * 7, "out": "null:"})
    looked.until(lambda: looked.step("wait").busy_lanes == 1)
    assert [(step.name, step.busy_lanes, step.in_flight) for step in looked.report().steps] == [
        ("source", 0, 0),
        ("wait", 1, 7),
        ("sink", 0, 0),
    ]
    assert looked.report().status == "running"
    go.set()
    ended = looked.ended()
    assert [(step.busy_lanes, step.in_flight) for step in ended.steps] == [(0, 0)] * 3


def test_a_rust_step_is_the_busy_one(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    pipeline = source().apply(Parser("parse", test_steps.Word)).apply(Map("meet", function=test_steps.rendezvous))
    words = [WORD % str(meeting).encode()]
    looked = Looked(pipeline.apply(Serializer("serialize")).sink(sink()), {"in": words, "out": "null:"})
    looked.until(meeting.exists)
    assert [step.name for step in looked.report().steps if step.busy_lanes] == ["meet"]
    meeting.unlink()
    assert looked.ended().messages_out == 1


def test_counters_move_inside_a_batch() -> None:
    go = threading.Event()

    def count(message: Message[bytes]) -> bytes:
        if message.payload == b"last":
            go.wait(30)
        time.sleep(0.01)
        return message.payload

    lines = [b"x"] * 50 + [b"last"]
    looked = Looked(source().apply(Map("count", function=count)).sink(sink()), {"in": lines, "out": "null:"})
    looked.until(lambda: looked.step("count").messages_in > 0)
    assert looked.step("sink").messages_in == 0
    go.set()
    assert looked.ended().messages_out == len(lines)


def test_a_batching_step_holds_what_it_gathers() -> None:
    go = threading.Event()

    def wait(message: Message[int]) -> int:
        if message.payload == 30:
            go.wait(30)
        return message.payload

    start = (
        source().apply(Parser("parse", int)).apply(Map("wait", function=wait)).apply(Batch("gather", batch_size=100))
    )
    config = {"run": {"batch": {"messages": 10}}}
    numbers = [b"%d" % number for number in range(31)]
    looked = Looked(start.apply(Serializer("write")).sink(sink()), {"in": numbers, "out": "null:"}, config)
    looked.until(lambda: looked.step("gather").in_flight == 30)
    go.set()
    assert [step.in_flight for step in looked.ended().steps] == [0] * 6


@pytest.mark.parametrize("kind", ["map", "route"])
def test_waiting_for_the_interpreter_is_told(kind: str) -> None:
    def way(message: Message[bytes]) -> Any:
        return "a" if kind == "route" else message.payload

    if kind == "route":
        table = {"a": branch("a").sink(sink())}
        pipeline = source().route("step", routing_function=way, routing_table=table)
    else:
        pipeline = source().apply(Map("step", function=way)).sink(sink())
    # Each message is a batch, and each batch asks for the interpreter anew; there are so many that others get it in between.
    config = {"run": {"batch": {"messages": 1}}}
    looked = Looked(pipeline, {"in": [b"x"] * 20_000, "out": "null:"}, config)
    # Holds the interpreter: the lane gets it only when its turn is over.
    while not looked.run.wait(0):
        sum(range(1_000_000))
    step = looked.step("step")
    assert 0.01 < step.waiting_s <= step.time_s
    assert looked.step("sink").waiting_s == 0


def test_a_rust_step_waits_for_no_interpreter() -> None:
    pipeline = source().apply(Parser("parse", test_steps.Word)).apply(Map("double", function=test_steps.Double()))
    looked = Looked(pipeline.apply(Serializer("write")).sink(sink()), {"in": [WORD % b"a"] * 100, "out": "null:"})
    assert [step.waiting_s for step in looked.ended().steps] == [0] * 5


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_a_file_is_read_to_its_length(ending: str, tmp_path: Path) -> None:
    go = threading.Event()

    def wait(message: Message[bytes]) -> bytes:
        if message.payload == b"last":
            go.wait(30)
        return message.payload

    path = tmp_path / f"in.{ending}"
    content = b"".join(b"%d\n" % number for number in range(200_000)) + b"last\n"
    path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    size = path.stat().st_size
    config = {"run": {"batch": {"bytes": 1024, "messages": 100}}}
    pipeline = source().apply(Map("wait", function=wait)).sink(sink())
    looked = Looked(pipeline, {"in": f"file:{path}", "out": "null:"}, config)
    (partition,) = looked.report().sources
    assert partition.size_bytes == size
    looked.until(lambda: (looked.report().sources[0].position_bytes or 0) > 0)
    go.set()
    assert looked.ended().sources[0].position_bytes == size


def test_lists_have_no_length_in_bytes() -> None:
    looked = Looked(source().sink(sink()), {"in": [b"x"], "out": "null:"})
    (partition,) = looked.ended().sources
    assert (partition.position_bytes, partition.size_bytes) == (None, None)
