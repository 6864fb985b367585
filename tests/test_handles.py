"""Nothing that a Rust module made for a run outlives it, however the run ends.

A run is cancelled between two chunks of rows (256 at most), never between two entries of the ABI: so what a chunk holds is
encoded, handed on or dropped by the module itself. `free` is for the engine's own unwinding; `run/native/tests.rs` shows that.
"""

from __future__ import annotations

import gc
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import (
    ExtensionError,
    Filter,
    FlatMap,
    Map,
    Message,
    Parser,
    Serializer,
    StepError,
    StreamSink,
    streaming_source,
)
from oxflow.testing import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORD = {"text": "", "count": 1}


def living() -> int:
    gc.collect()
    number: int = test_steps.how_many_live(Message({"text": "", "count": 1, "tags": {}}))
    return number


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    assert living() == 0
    yield
    assert living() == 0


def words(*texts: str) -> list[bytes]:
    return [json.dumps({"text": text, "count": 2}).encode() for text in texts]


# Not typed: each test puts other steps in the middle.
def through(*steps: Any, first: Any = None) -> Any:
    pipeline: Any = streaming_source("source", stream_name="in")
    if first is not None:
        pipeline = pipeline.apply(Map("first", function=first))
    pipeline = pipeline.apply(Parser("parse", test_steps.Living))
    for step in steps:
        pipeline = pipeline.apply(step)
    return pipeline.apply(Serializer("serialise")).sink(StreamSink("sink", stream_name="out"))


# A failure in the second chunk, with rows before and after it in the chunk.
MANY = ["a"] * 400


def steps() -> Iterable[Any]:
    return (
        Filter("more", function=test_steps.LivingMoreThan(1)),
        FlatMap("repeat", function=test_steps.repeat_living),
        Map("check", function=test_steps.check_living),
        Map("total", function=test_steps.LivingTotal()),
    )


def made(message: Message[Any]) -> Any:
    """What a step in Python gives is read into the module while the step's run goes on."""
    if message.payload["text"] == "stop":
        raise ValueError(message.payload)
    return {**message.payload}


@pytest.mark.parametrize("before", [[], [Map("made", function=made)]], ids=["Rust", "Python before it"])
@pytest.mark.parametrize("word", ["bad", "panic"])
@pytest.mark.parametrize("on_error", ["fail", "skip", "dead_letter", {"retry": {"times": 2, "then": "skip"}}])
def test_a_run_that_fails_in_its_middle_leaves_nothing(before: list[Any], word: str, on_error: object) -> None:
    config = {"steps": {"check": {"on_error": on_error}}}
    streams: dict[str, Any] = {"in": words(*MANY, word, *MANY), "out": "null:", "dead-letters": "null:"}
    if on_error == "fail":
        with pytest.raises(StepError):
            oxflow.run(through(*before, *steps()), streams=streams, config=config)
    else:
        assert oxflow.run(through(*before, *steps()), streams=streams, config=config).ended


def test_what_python_gave_before_it_ended_the_run_leaves_nothing() -> None:
    with pytest.raises(StepError, match="step `made`"):
        run(through(Map("made", function=made), *steps()), {"in": words(*MANY, "stop", *MANY)})
    with pytest.raises(StepError, match="step `check`"):
        run(through(Map("made", function=made), *steps()), {"in": words("bad", *MANY, "stop", *MANY)})


def test_what_can_t_be_read_leaves_nothing() -> None:
    with pytest.raises(StepError):
        run(through(*steps()), {"in": [*words(*MANY), b'{"text":"half', *words(*MANY)]})


@pytest.mark.parametrize("before", [[], [Map("made", function=made)]], ids=["Rust", "Python before it"])
def test_a_run_that_a_signal_stops_leaves_nothing(before: list[Any]) -> None:
    count = 0

    def ask_to_stop(message: Message[bytes]) -> bytes:
        nonlocal count
        count += 1
        if count == 1000:
            os.kill(os.getpid(), signal.SIGTERM)
        return message.payload

    lines = words(*MANY) * 20
    report = oxflow.run(through(*before, *steps(), first=ask_to_stop), streams={"in": lines, "out": "null:"})
    assert report.stopped_by == "SIGTERM"
    assert not report.ended


def test_a_filter_that_drops_everything_leaves_nothing() -> None:
    assert run(through(Filter("more", function=test_steps.LivingMoreThan(9))), {"in": words(*MANY)})["out"] == []


def test_an_instance_lives_as_long_as_its_object_and_those_of_the_lanes_as_long_as_the_run() -> None:
    total = test_steps.LivingTotal()
    assert living() == 1
    partitions = [words(*MANY), words(*MANY), words(*MANY)]
    pipeline = through(Map("total", function=total))
    report = oxflow.run(pipeline, streams={"in": partitions, "out": "null:"}, config={"run": {"lanes": 3}})
    assert report.ended
    assert living() == 1
    del total, pipeline, report


def test_an_instance_that_is_refused_is_none() -> None:
    with pytest.raises(ExtensionError):
        test_steps.LivingMoreThan(-1)


def test_a_call_from_plain_python_leaves_nothing() -> None:
    assert test_steps.repeat_living(Message({"text": "a", "count": 3})) == [{"text": "a", "count": 3}] * 3
    for word in ("bad", "panic"):
        with pytest.raises(StepError):
            test_steps.check_living(Message({"text": word, "count": 1}))
