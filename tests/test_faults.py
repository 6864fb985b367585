"""What a message that fails costs the others, and what is told about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Map, Message, Parser, Serializer, StepError, StepPanicked, StreamSink, branch
from oxflow.testing import run

if TYPE_CHECKING:
    from oxflow import Pipeline

LETTERS = [b"a", b"b", b"c", b"d"]


def source() -> Pipeline[bytes]:
    return oxflow.streaming_source("source", stream_name="in")


def sink(name: str) -> StreamSink:
    return StreamSink(f"sink-{name}", stream_name=name)


def fails_on_c(message: Message[bytes]) -> bytes:
    if message.payload == b"c":
        raise ValueError("a bad letter")
    return message.payload


def outputs(pipeline: Any, config: Any = None, given: list[bytes] = LETTERS) -> tuple[Any, dict[str, list[bytes]]]:
    """What went wrong, and what was delivered all the same."""
    streams = {"in": given, "good": "memory:", "bad": "memory:"}
    error, report = told(pipeline, streams, config)
    return error, {name: [message.payload for message in sent] for name, sent in report.outputs.items()}


def told(pipeline: Any, streams: Any, config: Any) -> tuple[Any, Any]:
    """What went wrong, and the report of the run."""
    try:
        return None, oxflow.run(pipeline, streams=streams, config=config)
    except StepError as error:
        return error, error.report


def test_each_branch_of_a_broadcast_has_all_that_came_before_an_error() -> None:
    bad = branch("bad").apply(Map("fail", function=fails_on_c)).sink(sink("bad"))
    error, delivered = outputs(source().broadcast("all", routes=[bad, branch("good").sink(sink("good"))]))
    assert isinstance(error.__cause__, ValueError)
    assert delivered == {"bad": LETTERS[:2], "good": LETTERS}


def test_each_branch_of_a_route_has_all_that_came_before_an_error() -> None:
    bad = branch("bad").apply(Map("fail", function=fails_on_c)).sink(sink("bad"))
    table = {"bad": bad, "good": branch("good").sink(sink("good"))}
    by_letter = source().route(
        "route", routing_function=lambda m: "bad" if m.payload in b"bc" else "good", routing_table=table
    )
    error, delivered = outputs(by_letter)
    assert isinstance(error.__cause__, ValueError)
    assert delivered == {"bad": [b"b"], "good": [b"a", b"d"]}


@pytest.mark.parametrize(("on_error", "written"), [("fail", b"a\nb\n"), ("skip", b"a\nb\ne\n")])
def test_a_payload_that_is_no_line_is_a_fault_of_its_sink(tmp_path: Path, on_error: str, written: bytes) -> None:
    config = {"steps": {"sink-out": {"on_error": on_error}}}
    streams = {"in": [b"a", b"b", b"c\nd", b"e"], "out": f"file:{tmp_path}/out"}
    error, report = told(source().sink(sink("out")), streams, config)
    assert (tmp_path / "out").read_bytes() == written
    if on_error == "fail":
        assert error.code == "OXF0404"
        assert "step `sink-out` cannot write the payload at stream in, partition 0, offset 2" in str(error)
    step = report.steps[-1]
    assert (step.messages_in, step.messages_out, step.errors) == (
        4 if on_error == "skip" else 3,
        written.count(b"\n"),
        1,
    )


def lock_for_c(message: Message[bytes]) -> Any:
    return threading.Lock() if message.payload == b"c" else message.payload


def text(message: Message[Any]) -> bytes:
    return message.payload if isinstance(message.payload, bytes) else b"?"


@pytest.mark.parametrize(("on_error", "kept"), [("fail", LETTERS[:2]), ("skip", [b"a", b"b", b"d"])])
def test_a_payload_that_cannot_be_copied_is_a_fault_of_its_broadcast(on_error: str, kept: list[bytes]) -> None:
    ways = [branch(name).apply(Map(f"to-{name}", function=text)).sink(sink(name)) for name in ("good", "bad")]
    pipeline = source().apply(Map("lock", function=lock_for_c)).broadcast("all", routes=ways)
    error, delivered = outputs(pipeline, {"steps": {"all": {"on_error": on_error}}})
    assert delivered == {"good": kept, "bad": kept}
    if on_error == "fail":
        assert error.code == "OXF0505"
        assert "step `all` could not copy the payload" in str(error)
        assert "cannot pickle '_thread.lock' object" in str(error)
    else:
        assert error is None


class CopiedRarely:
    """A payload that can be copied some times, and then no more."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __deepcopy__(self, _memo: object) -> CopiedRarely:
        if self.times == 0:
            raise ValueError("worn out")
        self.times -= 1
        return CopiedRarely(0)


def worn(message: Message[bytes]) -> Any:
    # The second fails at the second copy, the fourth at the first.
    return CopiedRarely({b"b": 1, b"d": 0}.get(message.payload, 9))


def an_x(_message: Message[Any]) -> bytes:
    return b"x"


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_each_payload_that_cannot_be_copied_fails_once_and_in_its_order(on_error: str) -> None:
    names = ("one", "two", "three")
    ways = [branch(name).apply(Map(f"to-{name}", function=an_x)).sink(sink(name)) for name in names]
    streams: Any = {"in": LETTERS, **dict.fromkeys(names, "memory:")}
    error, report = told(
        source().apply(Map("wrap", function=worn)).broadcast("all", routes=ways),
        streams,
        {"steps": {"all": {"on_error": on_error}}},
    )
    delivered = {len(sent) for sent in report.outputs.values()}
    if on_error == "fail":
        assert "offset 1" in str(error)
        assert (delivered, report.sources[0].committed) == ({1}, 1)
    else:
        assert (delivered, report.steps[2].errors, report.steps[2].skipped) == ({2}, 2, 2)


def test_what_is_no_bytes_before_a_step_that_takes_them_says_so() -> None:
    def wrong(_: Message[bytes]) -> Any:
        return {"x": 1}

    pipeline = source().apply(Map("wrong", function=wrong)).apply(Map("reverse", function=test_steps.reverse))
    with pytest.raises(StepError, match="it returned `dict`, but the next step takes `bytes`"):
        run(pipeline.sink(sink("out")), {"in": [b"a"]})


def raises(text: str) -> Any:
    def fail(_: Message[bytes]) -> bytes:
        raise ValueError(text)

    return source().apply(Map("fail", function=fail)).sink(sink("good"))


def test_what_an_error_quotes_does_not_steer_a_terminal() -> None:
    streams = {"in": [b"a"], "good": "memory:"}
    error, _ = told(raises("\x1b[31mred"), streams, None)
    assert "why: ValueError: \\u{1b}[31mred\n" in str(error)
    _, report = told(raises("\x1b[31mred"), streams, {"steps": {"fail": {"on_error": "skip"}}})
    assert "ValueError: \\x1b[31mred\n" in str(report)


def test_an_error_that_says_nothing_is_told_by_its_class() -> None:
    error, _ = told(raises(""), {"in": [b"a"], "good": "memory:"}, None)
    assert "why: ValueError\n" in str(error)


def panics(**config: Any) -> Any:
    start: Any = source().apply(Parser("parse", test_steps.Word)).apply(Map("check", function=test_steps.check))
    word = json.dumps({"text": "panic", "count": 1, "tags": {}}).encode()
    return run(start.apply(Serializer("serialize")).sink(sink("out")), {"in": [word]}, config=config or None)


def test_a_panic_tells_its_place_in_the_rust_code() -> None:
    with pytest.raises(StepPanicked, match=r"why: panic: the word was `panic`, at \S*src/lib\.rs:\d+:\d+"):
        panics()
    (skipped,) = panics(steps={"check": {"on_error": "skip"}}).report.skipped
    assert "the word was `panic`, at " in skipped.error


@pytest.mark.parametrize("wanted", ["0", "1"])
def test_a_panic_has_a_backtrace_if_one_is_asked_for(wanted: str) -> None:
    # Rust reads the variable once in a process.
    told = subprocess.run(
        [sys.executable, "-c", "import test_faults\ntest_faults.panics()\n"],
        env={**os.environ, "RUST_BACKTRACE": wanted, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert "panic: the word was `panic`, at " in told
    assert ("test_steps::check" in told) == (wanted == "1")
