"""How a run stops before its source ends: by a signal, or by a step that asks for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import oxflow
from oxflow import Map, Message, StreamSink, branch
from oxflow.report import StepExit

if TYPE_CHECKING:
    from pathlib import Path

SLOW = """
import time
from pathlib import Path
from oxflow import Map, Message, StreamSink, streaming_source

def slow(message: Message[bytes]) -> bytes:
    Path("began").touch()
    if Path("slow").exists():
        time.sleep(0.02)
    return message.payload

pipeline = streaming_source("source", stream_name="in").apply(Map("slow", function=slow)).sink(
    StreamSink("sink", stream_name="out"))
"""


def test_a_signal_does_not_wait_for_the_rest_of_a_batch(tmp_path: Path) -> None:
    lines = [b"%d\n" % number for number in range(2000)]
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines))
    (tmp_path / "app.py").write_text(SLOW)
    (tmp_path / "slow").touch()
    bindings = ("--stream", "in=file:in.jsonl", "--stream", "out=file:out.jsonl", "--set", "run.batch.messages=2000")
    command = [sys.executable, "-m", "oxflow", "run", "app.py", *bindings, "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        while not (tmp_path / "began").exists() and running.poll() is None:
            time.sleep(0.05)
        time.sleep(0.2)
        running.send_signal(signal.SIGTERM)
        signalled = time.monotonic()
        report = json.load(running.stdout)
        assert running.wait() == 0
    # The rest of the batch would take 40 s.
    assert time.monotonic() - signalled < 15
    delivered = (tmp_path / "out.jsonl").read_bytes()
    assert 0 < report["messages_out"] < 2000
    assert delivered == b"".join(lines[: report["messages_out"]])
    assert report["sources"][0]["committed"] == len(delivered)
    (tmp_path / "slow").unlink()
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True)
    assert (tmp_path / "out.jsonl").read_bytes() == b"".join(lines)


def leaves(error: type[BaseException]) -> Any:
    def leave(message: Message[bytes]) -> bytes:
        if message.payload == b"2":
            raise error
        return message.payload

    return leave


def key_or_leave(error: type[BaseException]) -> Any:
    def key(message: Message[bytes]) -> str:
        if message.payload == b"2":
            raise error
        return "a"

    return key


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("kind", ["map", "route"])
def test_a_step_that_wants_to_end_the_process_drains_the_run(error: type[BaseException], kind: str) -> None:
    start = oxflow.streaming_source("source", stream_name="in")
    sink = StreamSink("sink", stream_name="out")
    if kind == "map":
        pipeline = start.apply(Map("step", function=leaves(error))).sink(sink)
    else:
        table = {"a": branch("a").sink(sink)}
        pipeline = start.route("step", routing_function=key_or_leave(error), routing_table=table)
    numbers = [b"%d" % number for number in range(5)]
    config = {"steps": {"step": {"on_error": "skip"}}}
    report = oxflow.run(pipeline, streams={"in": numbers, "out": "memory:"}, config=config)
    assert [message.payload for message in report.outputs["out"]] == numbers[:2]
    assert (report.status, report.sources[0].committed) == ("drained", 2)
    assert [(step.errors, step.skipped) for step in report.steps] == [(0, 0)] * len(report.steps)
    assert (report.stopped_by, report.ended) == (error.__name__, False)
    assert report.exit is not None
    assert (report.exit.step, report.exit.origin) == ("step", "stream in, partition 0, offset 2")


def test_a_step_that_is_called_again_may_end_the_process() -> None:
    asked = SystemExit("no")

    def leave_at_last(message: Message[bytes]) -> bytes:
        if message.payload == b"2":
            raise calls.pop(0)
        return message.payload

    calls: list[BaseException] = [ValueError(), asked]
    start = oxflow.streaming_source("source", stream_name="in").apply(Map("step", function=leave_at_last))
    report = oxflow.run(
        start.sink(StreamSink("sink", stream_name="out")),
        streams={"in": [b"1", b"2", b"3"], "out": "memory:"},
        config={"steps": {"step": {"on_error": {"retry": {"times": 3, "backoff_ms": 1}}}}},
    )
    assert [message.payload for message in report.outputs["out"]] == [b"1"]
    assert report.exit == StepExit("SystemExit", "step", "stream in, partition 0, offset 1", "'no'", 1)


EXITS = """
import os, sys
from oxflow import Map, Message, StreamSink, streaming_source

def leave(message: Message[bytes]) -> bytes:
    if message.payload == b"2":
        exec(compile(os.environ["LEAVE"], "leave", "exec"))
    return message.payload

pipeline = streaming_source("source", stream_name="in").apply(Map("leave", function=leave)).sink(
    StreamSink("sink", stream_name="out"))
"""


@pytest.mark.parametrize(
    ("statement", "code", "told"),
    [
        ("sys.exit()", 0, "called sys.exit()"),
        ("sys.exit(0)", 0, "called sys.exit(0)"),
        ("sys.exit(7)", 7, "called sys.exit(7)"),
        ("sys.exit(256)", 255, "called sys.exit(256)"),
        ("sys.exit(-1)", 255, "called sys.exit(-1)"),
        ("sys.exit('config service unreachable')", 1, "called sys.exit('config service unreachable')"),
        ("raise KeyboardInterrupt", 130, "raised KeyboardInterrupt"),
    ],
)
def test_the_command_line_exits_as_a_step_asked(statement: str, code: int, told: str, tmp_path: Path) -> None:
    def run(statement: str, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LEAVE": statement}
        command = [sys.executable, "-m", "oxflow", "run", "app.py", *bindings, *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)

    (tmp_path / "in.jsonl").write_bytes(b"1\n2\n3\n")
    (tmp_path / "app.py").write_text(EXITS)
    bindings = ("--stream", "in=file:in.jsonl", "--stream", "out=file:out.jsonl")
    done = run(statement)
    left = "that message and what comes after it are left for a later run"
    assert (done.returncode, done.stderr) == (code, f"oxflow: step `leave` {told} at in.jsonl, line 2; {left}\n")
    assert (tmp_path / "out.jsonl").read_bytes() == b"1\n"
    kept = f"checkpoint {tmp_path}/out.jsonl.oxflow kept: the same command goes on from it"
    assert done.stdout.splitlines()[-1] == kept
    report = json.loads(run("pass", "--json").stdout)
    assert (report["resumed"], report["checkpoint"], report["exit"]) == (True, None, None)
    assert report["sources"][0]["resumed_at"] == 2
    assert (tmp_path / "out.jsonl").read_bytes() == b"1\n2\n3\n"


def test_a_thread_local_lives_as_long_as_its_lane() -> None:
    local = threading.local()
    made: list[bytes] = []

    def connect(message: Message[bytes]) -> bytes:
        if not hasattr(local, "connection"):
            local.connection = message.payload
            made.append(message.payload)
        return message.payload

    pipeline = oxflow.streaming_source("source", stream_name="in").apply(Map("connect", function=connect))
    streams: dict[str, Any] = {"in": [[b"x"] * 100] * 2, "out": "memory:"}
    config = {"run": {"lanes": 2, "batch": {"messages": 10}}}
    oxflow.run(pipeline.sink(StreamSink("sink", stream_name="out")), streams=streams, config=config)
    assert made == [b"x", b"x"]
