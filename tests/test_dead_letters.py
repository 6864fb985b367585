"""Dead letters: what is in them, from wherever a message fails, and when they are too many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import test_steps
from hypothesis import given, strategies as st

import oxflow
from oxflow import (
    Batch,
    DeadLetter,
    FlatMap,
    Map,
    Message,
    Origin,
    Parser,
    Serializer,
    StreamSink,
    TooManyFailedError,
    branch,
    streaming_source,
)
from oxflow.testing import Outputs, run

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
SINK = StreamSink("sink", stream_name="out")


# Not typed: what a lambda takes would have to be said.
def source() -> Any:
    return streaming_source("source", stream_name="in")


def dead_letters(*steps: str, **limits: int) -> dict[str, Any]:
    """Send what fails in these steps to the dead letters, however many they are."""
    unlimited = {"max_percent": 100, "max_in_a_row": 1_000_000, **limits}
    return {"steps": {step: {"on_error": "dead_letter"} for step in steps}, "run": {"dead_letters": unlimited}}


def picky(message: Message[bytes]) -> bytes:
    if message.payload.startswith(b"bad"):
        raise ValueError(f"no {message.payload!r}")
    return message.payload


def shout(message: Message[bytes]) -> Message[bytes]:
    return message.replace(payload=message.payload.upper(), key=b"K")


def quietly_picky(message: Message[bytes]) -> bytes:
    return picky(message.replace(payload=message.payload.lower()))


def words(message: Message[bytes]) -> list[bytes]:
    return message.payload.split()


def text(message: Message[bytes]) -> str:
    return message.payload.decode()


def payloads(outputs: Outputs) -> list[bytes]:
    return [letter.message.payload for letter in outputs.dead_letters]


# With retries the step is a run of its own, which is given what the one before it has made.
@pytest.mark.parametrize("on_error", ["dead_letter", {"retry": {"times": 1, "then": "dead_letter"}}])
def test_a_dead_letter_has_the_message_as_it_was_read_and_what_went_wrong(on_error: Any) -> None:
    bad = Message(b"bad \xff", key=b"\x00k", headers=[("h", b"v"), ("h", b"\xfe")], timestamp=12.5)
    pipeline = source().apply(Map("shout", function=shout)).apply(Map("pick", function=quietly_picky)).sink(SINK)
    inputs: list[bytes | Message[bytes]] = [b"good", bad]
    outputs = run(pipeline, {"in": inputs}, config={"steps": {"pick": {"on_error": on_error}}})
    assert outputs["out"] == [b"good"]
    (letter,) = outputs.dead_letters
    origin = Origin("in", 0, 1)
    assert letter.message == Message(
        b"bad \xff", key=b"\x00k", headers=[("h", b"v"), ("h", b"\xfe")], timestamp=12.5, origin=origin
    )
    assert (letter.name, letter.step, letter.code, letter.error) == ("memory 0", "pick", "OXF0501", "ValueError")
    assert letter.text == "no b'bad \\xff'"
    assert letter.traceback is not None
    assert "in picky" in letter.traceback
    # The clock of tests stands still.
    assert letter.time == 0.0


def test_a_panic_tells_where_it_began() -> None:
    pipeline = source().apply(Parser("parse", test_steps.Word)).apply(Map("check", function=test_steps.check))
    words = [b'{"text":"%s","count":1,"tags":{}}' % text for text in (b"a", b"panic", b"bad", b"z")]
    outputs = run(pipeline.apply(Serializer("s")).sink(SINK), {"in": words}, config=dead_letters("check"))
    assert [json.loads(word)["text"] for word in outputs["out"]] == ["a", "z"]
    panic, error = outputs.dead_letters
    assert (panic.code, panic.message.payload, panic.text) == ("OXF0502", words[1], "the word was `panic`")
    assert panic.traceback is not None
    assert "lib.rs" in panic.traceback
    assert (error.code, error.error, error.traceback) == ("OXF0501", "test_steps::BadWord", None)


def test_what_cannot_be_decoded_becomes_a_dead_letter_in_either_language() -> None:
    for kind in (Json, test_steps.Word):
        pipeline = source().apply(Parser("parse", kind)).apply(Serializer("s")).sink(SINK)
        lines = [b'{"text":"a","count":1,"tags":{}}', b"\xff", b"{", b'{"text":"b","count":2,"tags":{}}']
        outputs = run(pipeline, {"in": lines}, config=dead_letters("parse"))
        assert (payloads(outputs), len(outputs["out"])) == ([b"\xff", b"{"], 2)
        assert {letter.code for letter in outputs.dead_letters} == {"OXF0503"}


def test_of_a_list_that_fails_each_message_becomes_a_dead_letter() -> None:
    def check(message: Message[list[bytes]]) -> bytes:
        return b",".join(picky(Message(payload)) for payload in message.payload)

    pipeline = source().apply(Batch("two", batch_size=2)).apply(Map("check", function=check)).sink(SINK)
    inputs: list[bytes | Message[bytes]] = [b"a", Message(b"bad", key=b"k"), b"b", b"c"]
    outputs = run(pipeline, {"in": inputs}, config=dead_letters("check"))
    assert outputs["out"] == [b"b,c"]
    assert payloads(outputs) == [b"a", b"bad"]
    assert [letter.message.key for letter in outputs.dead_letters] == [None, b"k"]
    assert [letter.message.origin for letter in outputs.dead_letters] == [Origin("in", 0, 0), Origin("in", 0, 1)]


def test_a_message_is_one_dead_letter_however_many_of_its_outputs_fail() -> None:
    split: Any = FlatMap("split", function=words)
    for steps in (
        [split, Map("pick", function=picky)],
        [split, Map("same", function=bytes_of), Map("pick", function=picky)],
    ):
        pipeline: Any = source()
        for step in steps:
            pipeline = pipeline.apply(step)
        outputs = run(pipeline.sink(SINK), {"in": [b"a bad1 b bad2", b"c"]}, config=dead_letters("pick"))
        assert (outputs["out"], payloads(outputs)) == ([b"a", b"b", b"c"], [b"a bad1 b bad2"])


def bytes_of(message: Message[bytes]) -> bytes:
    return message.payload


def test_each_branch_has_dead_letters_of_its_own() -> None:
    branches = [
        branch("left").apply(Map("left-pick", function=picky)).sink(StreamSink("left-sink", stream_name="left")),
        branch("right").apply(Map("right-pick", function=picky)).sink(StreamSink("right-sink", stream_name="right")),
    ]
    outputs = run(
        source().broadcast("all", routes=branches),
        {"in": [b"a", b"bad"]},
        config=dead_letters("left-pick", "right-pick"),
    )
    assert (outputs["left"], outputs["right"]) == ([b"a"], [b"a"])
    assert [(letter.step, letter.message.payload) for letter in outputs.dead_letters] == [
        ("left-pick", b"bad"),
        ("right-pick", b"bad"),
    ]


def test_routes_broadcasts_and_sinks_have_dead_letters(tmp_path: Path) -> None:
    table = {"a": branch("only").sink(StreamSink("only-sink", stream_name="out"))}
    routed = source().route("route", routing_function=text, routing_table=table)
    assert payloads(run(routed, {"in": [b"a", b"b", b"\xff"]}, config=dead_letters("route"))) == [b"b", b"\xff"]
    out, dead = tmp_path / "out", tmp_path / "dead"
    streams: Any = {"in": [b"a", b"b\nc", b"d"], "out": f"file:{out}", "dead-letters": f"file:{dead}"}
    oxflow.run(source().sink(SINK), streams=streams, config=dead_letters("sink"))
    assert out.read_bytes() == b"a\nd\n"
    assert DeadLetter.from_json(dead.read_bytes()).message.payload == b"b\nc"


def test_a_message_that_was_cut_says_so_and_is_not_sent_again() -> None:
    config = dead_letters("source")
    config["run"]["message_bytes"] = 1024
    outputs = run(source().sink(SINK), {"in": [b"x" * 2000, b"short"]}, config=config)
    (letter,) = outputs.dead_letters
    assert (letter.truncated, letter.payload_bytes, letter.as_read.payload) == (True, 2000, b"x" * 1024)
    with pytest.raises(ValueError, match="only the first 1024 of 2000 bytes of the payload are in the dead letter"):
        _ = letter.message


def test_the_dead_letter_of_a_line_says_which(tmp_path: Path) -> None:
    lines, dead = tmp_path / "in.jsonl", tmp_path / "dead.jsonl"
    lines.write_bytes(b"a\nbad\n")
    streams: Any = {"in": f"file:{lines}", "out": "memory:", "dead-letters": f"file:{dead}"}
    pipeline = source().apply(Map("pick", function=picky)).sink(SINK)
    oxflow.run(pipeline, streams=streams, config=dead_letters("pick"))
    letter = DeadLetter.from_json(dead.read_bytes())
    assert letter.as_read.origin == Origin("in", 0, 1)
    assert (letter.line, letter.place) == (2, f"{lines}, line 2")
    assert (letter.truncated, letter.payload_bytes) == (False, 3)


def test_dead_letters_can_be_sent_again() -> None:
    pipeline = source().apply(Map("pick", function=picky)).sink(SINK)
    inputs: list[bytes | Message[bytes]] = [Message(b"bad 1", key=b"k"), b"good"]
    outputs = run(pipeline, {"in": inputs}, config=dead_letters("pick"))
    again = run(source().sink(SINK), {"in": [letter.message for letter in outputs.dead_letters]})
    assert [(message.payload, message.key) for message in again.messages("out")] == [(b"bad 1", b"k")]


@given(st.binary(), st.none() | st.binary(), st.lists(st.tuples(st.text(), st.binary()), max_size=3))
def test_any_message_can_be_a_dead_letter(payload: bytes, key: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    def fail(_message: Message[bytes]) -> bytes:
        raise ValueError

    message = Message(payload, key=key, headers=headers)
    pipeline = source().apply(Map("fail", function=fail)).sink(SINK)
    (letter,) = run(pipeline, {"in": [message]}, config=dead_letters("fail")).dead_letters
    assert (letter.message.payload, letter.message.key, list(letter.message.headers)) == (payload, key, headers)


@pytest.mark.parametrize("text", [b"{}", b"[]", b"3", b"null", b'{"payload":"a"}', b"no JSON"])
def test_what_is_no_dead_letter_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a dead letter|Expecting value"):
        DeadLetter.from_json(text)


def in_json(**changes: Any) -> bytes:
    """A dead letter with something in it that no run of oxflow writes."""
    origin = {"stream": "in", "partition": 0, "offset": 7, "name": "in.jsonl", "line": 8}
    error = {"code": "OXF0501", "class": "ValueError", "text": "no", "traceback": None}
    letter: dict[str, Any] = {
        "payload": "a",
        "payload_bytes": 1,
        "truncated": False,
        "key": None,
        "headers": [],
        "timestamp": None,
        "step": "pick",
        "time": 1.5,
    }
    for name, value in changes.items():
        next(part for part in (letter, origin, error) if name in part)[name] = value
    return json.dumps(letter | {"origin": origin, "error": error}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"partition": -1},
        {"partition": 1 << 40},
        {"offset": 1 << 70},
        {"line": "8"},
        {"name": None},
        {"payload_bytes": "1"},
        {"truncated": 0},
        {"step": 3},
        {"code": []},
        {"text": {}},
        {"text": "\ud800"},
        {"traceback": 1},
        {"time": "x"},
        {"time": True},
        {"timestamp": "x"},
    ],
    ids=str,
)
def test_what_others_wrote_is_no_dead_letter(changes: dict[str, Any]) -> None:
    assert DeadLetter.from_json(in_json()).step == "pick"
    with pytest.raises(ValueError, match=r"not a dead letter|surrogates not allowed"):
        DeadLetter.from_json(in_json(**changes))


def test_a_dead_letter_cannot_exhaust_the_stack() -> None:
    with pytest.raises(ValueError, match="not a dead letter: RecursionError"):
        DeadLetter.from_json(b"[" * 100_000)


def test_a_count_of_replays_that_is_none_is_not_believed() -> None:
    assert DeadLetter.from_json(in_json(headers=[["oxflow-replays", "12"]])).replays == 12
    assert DeadLetter.from_json(in_json(headers=[["oxflow-replays", "9" * 5000]])).replays == 0


def limited(lines: list[bytes], **limits: int) -> Outputs | TooManyFailedError:
    pipeline = source().apply(Map("pick", function=picky)).sink(SINK)
    try:
        return run(pipeline, {"in": lines}, config=dead_letters("pick", **limits))
    except TooManyFailedError as error:
        return error


def test_failures_in_a_row_stop_the_run() -> None:
    lines = [b"good", *[b"bad"] * 2, b"good", *[b"bad"] * 5, b"good"]
    error = limited(lines, max_in_a_row=3)
    assert isinstance(error, TooManyFailedError)
    assert "3 failures in a row, the last in step `pick` at stream in, partition 0, offset 6" in str(error)
    assert isinstance(error.__cause__, ValueError)
    assert error.report is not None
    # The last is a dead letter, too; what comes after it is left for the next run.
    assert (len(error.report.outputs["dead-letters"]), len(error.report.outputs["out"])) == (5, 2)
    assert error.report.sources[0].committed == 7
    assert not isinstance(limited(lines, max_in_a_row=6), TooManyFailedError)


def test_a_share_of_failures_stops_the_run_once_there_are_enough_messages() -> None:
    lines = [b"bad" if index % 5 == 4 else b"good" for index in range(1000)]
    error = limited(lines, max_percent=10, min_messages=500)
    assert isinstance(error, TooManyFailedError)
    assert "100 of 500 messages failed" in str(error)
    assert not isinstance(limited(lines, max_percent=20, min_messages=500), TooManyFailedError)
    assert not isinstance(limited(lines, max_percent=10, min_messages=1001), TooManyFailedError)


def test_skipped_messages_are_no_reason_to_stop() -> None:
    config = dead_letters("pick", max_in_a_row=2)
    config["steps"]["pick"]["on_error"] = "skip"
    outputs = run(source().apply(Map("pick", function=picky)).sink(SINK), {"in": [b"bad"] * 50}, config=config)
    assert (outputs.report.steps[1].skipped, outputs.report.steps[1].dead_lettered) == (50, 0)


def test_partitions_are_counted_apart() -> None:
    pipeline = source().apply(Map("pick", function=picky)).sink(SINK)
    partitions = [[b"bad"] * 2, [b"bad"] * 2]
    outputs = run(pipeline, {"in": partitions}, config=dead_letters("pick", max_in_a_row=3))
    assert len(outputs.dead_letters) == 4


PIPELINE = """
from oxflow import Map, StreamSink, streaming_source

def pick(message):
    if message.payload.startswith(b"bad"):
        raise ValueError("bad")
    return message.payload

pipeline = (
    streaming_source("source", stream_name="in").apply(Map("pick", function=pick)).sink(StreamSink("sink", stream_name="out"))
)
"""


def execute(folder: Path, *options: str, pipeline: str = PIPELINE) -> subprocess.CompletedProcess[str]:
    (folder / "pipeline.py").write_text(pipeline, encoding="utf-8")
    streams = {"in": "in", "out": "out", "dead-letters": "dead"}
    bound = [f"--stream={stream}=file:{folder}/{file}" for stream, file in streams.items()]
    command = [sys.executable, "-m", "oxflow", "run", str(folder / "pipeline.py"), *bound, *options]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_run_that_stopped_at_the_limit_goes_on_after_it(tmp_path: Path) -> None:
    lines = [f"{'bad' if 300 <= index < 450 else 'good'} {index}" for index in range(1000)]
    (tmp_path / "in").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    first = execute(tmp_path, "--set=steps.pick.on_error=dead_letter")
    assert first.returncode == 5, first.stderr
    assert "error[OXF0507]: 100 failures in a row" in first.stderr
    second = execute(tmp_path, "--set=steps.pick.on_error=dead_letter")
    assert second.returncode == 0, second.stderr
    assert (tmp_path / "out").read_text(encoding="utf-8").splitlines() == [line for line in lines if line[0] == "g"]
    letters = [DeadLetter.from_json(line) for line in (tmp_path / "dead").read_bytes().splitlines()]
    assert [letter.message.payload.decode() for letter in letters] == [line for line in lines if line[0] == "b"]


BATCHES = """
import os
from oxflow import Batch, Map, StreamSink, streaming_source

def check(name, payload):
    number = int(payload)
    if number in eval(os.environ.get(name, "[]")):
        raise ValueError(name)

def before(message):
    check("BEFORE", message.payload)
    return message.payload

def then(message):
    check("THEN", message.payload)
    return message.payload

def after(message):
    for payload in message.payload:
        check("AFTER", payload)
    return b",".join(message.payload)

pipeline = (
    streaming_source("source", stream_name="in")
    .apply(Map("before", function=before))
    .apply(Map("then", function=then))
    .apply(Batch("list", batch_size=SIZE))
    .apply(Map("after", function=after))
    .sink(StreamSink("sink", stream_name="out"))
)
"""


def execute_batches(folder: Path, size: int, **fails: object) -> subprocess.CompletedProcess[str]:
    """Run a pipeline whose steps fail on some numbers."""
    (folder / "pipeline.py").write_text(BATCHES.replace("SIZE", str(size)), encoding="utf-8")
    streams = {"in": "in", "out": "out", "dead-letters": "dead"}
    bound = [f"--stream={stream}=file:{folder}/{file}" for stream, file in streams.items()]
    policies = [f"--set=steps.{step}.on_error=dead_letter" for step in ("before", "after")]
    command = [sys.executable, "-m", "oxflow", "run", str(folder / "pipeline.py"), *bound, *policies]
    environment = {**os.environ, **{name: str(numbers) for name, numbers in fails.items()}}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def numbers_in(folder: Path) -> tuple[list[int], list[int]]:
    """What was delivered, and what became a dead letter."""
    lines = (folder / "out").read_text(encoding="utf-8").splitlines()
    letters = [DeadLetter.from_json(line) for line in (folder / "dead").read_bytes().splitlines()]
    return [int(number) for line in lines for number in line.split(",")], [int(one.message.payload) for one in letters]


@pytest.mark.parametrize("place", ["BEFORE", "AFTER"])
def test_a_run_with_lists_that_stopped_at_the_limit_goes_on_after_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "in").write_text("".join(f"{number}\n" for number in range(3000)), encoding="utf-8")
    bad = list(range(2000, 2150)) if place == "BEFORE" else list(range(1500, 3000, 10))
    codes = [5]
    while codes[-1] == 5 and len(codes) < 9:
        codes.append(execute_batches(tmp_path, 10, **{place: bad}).returncode)
    assert (codes[1], codes[-1]) == (5, 0), codes
    delivered, letters = numbers_in(tmp_path)
    assert sorted(delivered + letters) == list(range(3000))


def test_a_message_that_fails_only_the_second_time_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("".join(f"{number}\n" for number in range(100)), encoding="utf-8")
    # The list stays open, so that all is read again.
    failed = execute_batches(tmp_path, 1000, BEFORE=[30], THEN=[60])
    assert failed.returncode == 1, failed.stderr
    again = execute_batches(tmp_path, 1000, BEFORE=[20])
    assert again.returncode == 0, again.stderr
    delivered, letters = numbers_in(tmp_path)
    assert letters == [30, 20]
    # It became a dead letter, and then it passed.
    assert delivered == [number for number in range(100) if number != 20]


def test_a_policy_may_change_before_a_failed_run_goes_on(tmp_path: Path) -> None:
    lines = [f"{'bad' if index == 500 else 'good'} {index}" for index in range(1000)]
    (tmp_path / "in").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert execute(tmp_path).returncode == 1
    again = execute(tmp_path, "--set=steps.pick.on_error=dead_letter")
    assert again.returncode == 0, again.stderr
    assert "source" in again.stdout
    assert (tmp_path / "out").read_text(encoding="utf-8").splitlines() == lines[:500] + lines[501:]
    assert len((tmp_path / "dead").read_bytes().splitlines()) == 1


def test_dead_letters_of_earlier_runs_stay(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"bad\ngood\n")
    for run_number in (1, 2):
        assert execute(tmp_path, "--set=steps.pick.on_error=dead_letter").returncode == 0
        assert len((tmp_path / "dead").read_bytes().splitlines()) == run_number
        assert (tmp_path / "out").read_bytes() == b"good\n"


def test_dead_letters_may_be_taken_away_before_a_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"bad 1\n" * 150)
    assert execute(tmp_path, "--set=steps.pick.on_error=dead_letter").returncode == 5
    (tmp_path / "dead").unlink()
    again = execute(tmp_path, "--set=steps.pick.on_error=dead_letter")
    assert again.returncode == 0, again.stderr
    assert len((tmp_path / "dead").read_bytes().splitlines()) == 50


def test_a_message_is_one_dead_letter_though_the_run_stops_between_its_outputs(tmp_path: Path) -> None:
    """The sink refuses both outputs of each message, and the limit is reached by the first of the second message."""
    twice = ".apply(FlatMap('twice', function=lambda message: [message.payload + b'\\n!', message.payload + b'\\n?']))"
    pipeline = PIPELINE.replace("import Map", "import FlatMap, Map").replace(".sink(", f"{twice}.sink(")
    (tmp_path / "in").write_bytes(b"first\nsecond\nthird\n")
    options = ("--set=steps.sink.on_error=dead_letter", "--set=run.dead_letters.max_in_a_row=2")
    codes = [execute(tmp_path, *options, pipeline=pipeline).returncode for _run in range(2)]
    assert codes == [TooManyFailedError.exit_code, 0]
    letters = [DeadLetter.from_json(line) for line in (tmp_path / "dead").read_bytes().splitlines()]
    assert [letter.message.payload for letter in letters] == [b"first", b"second", b"third"]
