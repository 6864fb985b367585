"""`on_error: retry`: a function is called again for the messages that it failed on, and for no others."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Batch, Filter, FlatMap, Map, Message, Parser, Serializer, StreamSink, branch, streaming_source
from oxflow.testing import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SINK = StreamSink("sink", stream_name="out")


# Not typed: what a lambda takes would have to be said.
def source() -> Any:
    return streaming_source("source", stream_name="in")


def retry(step: str, times: int = 3, then: str = "fail") -> dict[str, Any]:
    return {"steps": {step: {"on_error": {"retry": {"times": times, "then": then}}}}}


def stubborn(failures: dict[bytes, int], calls: Counter[bytes]) -> Callable[[Message[bytes]], bytes]:
    """A function that fails on some payloads a few times."""

    def function(message: Message[bytes]) -> bytes:
        calls[message.payload] += 1
        if calls[message.payload] <= failures.get(message.payload, 0):
            raise OSError(f"attempt {calls[message.payload]} on {message.payload!r}")
        return message.payload

    return function


def test_a_message_that_fails_is_tried_again_and_keeps_its_place() -> None:
    calls: Counter[bytes] = Counter()
    function = stubborn({b"b": 2, b"d": 1}, calls)
    pipeline = (
        source().apply(Map("try", function=function)).apply(Map("same", function=lambda message: message.payload))
    )
    outputs = run(pipeline.sink(SINK), {"in": [b"a", b"b", b"c", b"d", b"e"]}, config=retry("try"))
    assert outputs["out"] == [b"a", b"b", b"c", b"d", b"e"]
    assert calls == {b"a": 1, b"b": 3, b"c": 1, b"d": 2, b"e": 1}
    step = outputs.report.steps[1]
    assert (step.messages_in, step.messages_out, step.errors, step.retried) == (5, 5, 0, 3)


@pytest.mark.parametrize("then", ["fail", "skip", "dead_letter"])
def test_what_still_fails_is_given_up(then: str) -> None:
    calls: Counter[bytes] = Counter()
    pipeline = source().apply(Map("try", function=stubborn({b"b": 9}, calls))).sink(SINK)
    config, inputs = retry("try", times=2, then=then), {"in": [b"a", b"b", b"c"]}
    if then == "fail":
        with pytest.raises(oxflow.StepError, match="attempt 3") as caught:
            run(pipeline, inputs, config=config)
        assert caught.value.report is not None
        assert [message.payload for message in caught.value.report.outputs["out"]] == [b"a"]
    else:
        outputs = run(pipeline, inputs, config=config)
        step = outputs.report.steps[1]
        assert (outputs["out"], step.errors, step.retried, len(outputs.dead_letters)) == (
            [b"a", b"c"],
            1,
            2,
            int(then == "dead_letter"),
        )
    assert calls[b"b"] == 3


def text(message: Message[test_steps.Word]) -> str:
    return message.payload["text"]


def payload(message: Message[Any]) -> Any:
    return message.payload


def words(*counted: tuple[str, int]) -> list[bytes]:
    return [b'{"text":"%s","count":%d,"tags":{}}' % (text.encode(), count) for text, count in counted]


@pytest.mark.parametrize(
    "step", [Map("try", function=test_steps.stubborn), Filter("try", function=test_steps.stubborn_filter)]
)
def test_rust_functions_are_called_again(step: Any) -> None:
    # The function keeps count of its failures by the words, so each test has words of its own.
    kind = type(step).__name__
    inputs = words(*((f"{kind}{index}", index % 3) for index in range(600)))
    again = source().apply(Parser("parse", test_steps.Word)).apply(step).apply(Serializer("s")).sink(SINK)
    outputs = run(again, {"in": inputs}, config=retry("try"))
    assert outputs["out"] == inputs
    assert outputs.report.steps[2].retried == 600
    # Steps before and after it are called once, in whatever language.
    named: Any = streaming_source("source", stream_name=kind)
    before = named.apply(Parser("parse", test_steps.Word)).apply(Map("name", function=test_steps.describe))
    mixed = before.apply(step).apply(Map("python", function=text)).apply(Serializer("s")).sink(SINK)
    outputs = run(mixed, {kind: words(*(("x", 2) for _ in range(10)))}, config=retry("try"))
    assert outputs["out"] == [b'"%s 0 %d"' % (kind.encode(), index) for index in range(10)]
    assert [report.messages_in for report in outputs.report.steps[1:]] == [10] * 6
    assert outputs.report.steps[3].retried == 20


def test_a_call_that_failed_leaves_no_outputs() -> None:
    flat: Any = FlatMap("try", function=test_steps.fragile)
    pipeline = source().apply(Parser("parse", test_steps.Word)).apply(flat)
    written = pipeline.apply(Map("python", function=payload)).apply(Serializer("s")).sink(SINK)
    outputs = run(written, {"in": words(("abc", 1), ("d", 1))}, config=retry("try", then="skip"))
    assert outputs["out"] == [b'"a"', b'"c"', b'"d"']


def test_a_routing_function_is_called_again() -> None:
    calls: Counter[bytes] = Counter()
    function = stubborn({b"b": 2}, calls)

    def route(message: Message[bytes]) -> str:
        return function(message).decode()

    table = {name: branch(name).sink(StreamSink(f"sink-{name}", stream_name=name)) for name in ("a", "b")}
    pipeline = source().route("try", routing_function=route, routing_table=table)
    config = {**retry("try"), "run": {"batch": {"messages": 2}}}
    outputs = run(pipeline, {"in": [b"a", b"a", b"a", b"b"]}, config=config)
    assert (outputs["a"], outputs["b"], calls[b"b"]) == ([b"a", b"a", b"a"], [b"b"], 3)
    step = outputs.report.steps[1]
    assert (step.messages_in, step.messages_out, step.retried) == (4, 4, 2)


def test_flat_maps_and_lists_are_called_again() -> None:
    calls: Counter[bytes] = Counter()
    function = stubborn({b"b c": 1, b"a+b c": 1}, calls)

    def split(message: Message[bytes]) -> list[bytes]:
        return function(message).split()

    def joined(message: Message[list[bytes]]) -> bytes:
        return function(Message(b"+".join(message.payload)))

    pipeline = source().apply(FlatMap("try", function=split)).sink(SINK)
    assert run(pipeline, {"in": [b"a", b"b c", b"d e"]}, config=retry("try"))["out"] == [b"a", b"b", b"c", b"d", b"e"]
    lists = source().apply(Batch("two", batch_size=2)).apply(Map("try", function=joined))
    calls.clear()
    assert run(lists.sink(SINK), {"in": [b"a", b"b c", b"d"]}, config=retry("try"))["out"] == [b"a+b c", b"d"]
    assert calls == {b"a+b c": 2, b"d": 1}


def test_what_cannot_be_decoded_is_not_tried_again() -> None:
    no_word = source().apply(Map("spoil", function=lambda _message: {"text": 1}))
    decoding = no_word.apply(Map("try", function=test_steps.stubborn)).apply(Serializer("s")).sink(SINK)
    outputs = run(decoding, {"in": [b"a"]}, config=retry("try", then="skip"))
    assert (outputs.report.steps[2].skipped, outputs.report.steps[2].retried) == (1, 0)


STOPPED = """
from oxflow import Map, StreamSink, streaming_source

def fail(message):
    if message.payload == b"bad":
        print("failing", flush=True)
        raise OSError
    return message.payload

pipeline = streaming_source("source", stream_name="in").apply(Map("try", function=fail)).sink(StreamSink("sink", stream_name="out"))
"""


def test_a_signal_ends_the_pause_and_the_message_is_left_for_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(STOPPED, encoding="utf-8")
    (tmp_path / "in").write_bytes(b"good\nbad\nworse\n")
    streams = [f"--stream={name}=file:{tmp_path}/{name}" for name in ("in", "out")]
    command = [sys.executable, "-m", "oxflow", "run", str(tmp_path / "pipeline.py"), "--quiet", *streams]
    patient = ["--set=steps.try.on_error.retry.times=5", "--set=steps.try.on_error.retry.backoff_ms=60000"]
    with subprocess.Popen([*command, *patient], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"failing\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
    assert (tmp_path / "out").read_bytes() == b"good\n"
    assert subprocess.run([*command, "--set=steps.try.on_error=skip"], check=False).returncode == 0
    assert (tmp_path / "out").read_bytes() == b"good\nworse\n"
