"""The endpoint of a run: what it answers while the run starts, goes on, stalls and stops."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pure_binary import binary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PIPELINE = """\
import faulthandler, os, signal, sys, time
from oxflow import Map, StreamSink, streaming_source

def hold():
    # As a call of C that keeps the interpreter; one that sleeps would end by the signal for the stack. It ends with the process.
    sys.setswitchinterval(3600)
    while True:
        pass

def slow(message):
    if message.payload == b"slow":
        time.sleep(60)
    if message.payload == b"nap":
        time.sleep(0.01)
    if message.payload == b"deaf":
        for number in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):
            faulthandler.unregister(number)
        time.sleep(60)
    if message.payload == b"hold":
        hold()
    return message.payload

if "OWN_STACKS" in os.environ:
    faulthandler.register(signal.SIGRTMAX, file=open(os.environ["OWN_STACKS"], "wb"))
pipeline = streaming_source("in", stream_name="lines").apply(Map("slow", function=slow)).sink(StreamSink("out", stream_name="words"))
"""
# Both lanes wait in Rust until the file is gone that their word names; who comes from `a` removes `b` with the interpreter in hand.
MEETING = """\
import os, sys
import test_steps
from oxflow import Map, Parser, Serializer, StreamSink, streaming_source

def take(message):
    if os.path.basename(message.payload["text"]) == "a":
        sys.setswitchinterval(3600)
        os.unlink(os.path.join(os.path.dirname(message.payload["text"]), "b"))
        while True:
            pass
    return message.payload

pipeline = (
    streaming_source("in", stream_name="lines")
    .apply(Parser("parse", test_steps.Word))
    .apply(Map("meet", function=test_steps.rendezvous))
    .apply(Map("take", function=take))
    .apply(Serializer("write"))
    .sink(StreamSink("out", stream_name="words"))
)
"""
WAYS = ["oxflow", "program"]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    folder: Path,
    way: str,
    *options: str,
    source: str = "stdin:",
    environment: dict[str, str] | None = None,
    pipeline: str = PIPELINE,
) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """A run that reads from its standard input, and the port of its endpoint. What it says on standard error is in `log`."""
    port = free_port()
    (folder / "slow.py").write_text(pipeline, encoding="utf-8")
    called = [sys.executable, "-m", "oxflow", "run", "slow.py"] if way == "oxflow" else [str(binary())]
    bound = [
        "--stream",
        f"lines={source}",
        "--stream",
        "words=file:out",
        "--set",
        f"run.endpoint.address=127.0.0.1:{port}",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*called, *bound, *options],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | (environment or {}),
        ) as process,
    ):
        try:
            until(lambda: asked(port, "/health")[0] != 0, process)
            if environment is None:
                until(lambda: asked(port, "/ready")[0] == 200, process)
            yield process, port
        finally:
            process.kill()


def asked(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def health(port: int) -> tuple[int, dict[str, Any]]:
    status, text = asked(port, "/health")
    return status, json.loads(text or "{}")


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    process.stdin.flush()


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_waits_for_input_is_healthy_and_tells_what_passed(way: str, tmp_path: Path) -> None:
    with running(tmp_path, way, "--set", "run.stalled_s=1") as (process, port):
        write(process, b'{"text": "oxen"}')
        until(
            lambda: (
                re.search(r'messages_out_total\{step="out",kind="sink"\} 1$', asked(port, "/metrics")[1], re.MULTILINE)
                is not None
            ),
            process,
        )
        time.sleep(1.5)
        status, found = health(port)
        assert (status, found["status"], found["reasons"]) == (200, "ok", [])
        assert [lane["state"] for lane in found["lanes"]] == ["waits_for_input"]
        assert found["lanes"][0]["last_progress_s"] > 1
        assert asked(port, "/ready") == (200, "ready\n")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
        assert asked(port, "/health")[0] == 0


@pytest.mark.parametrize("line", ["slow", "hold"])
def test_a_step_that_comes_to_no_end_is_no_health(line: str, tmp_path: Path) -> None:
    """Whoever asks hears of it at once, and the log names step, message and code, also while the step holds the interpreter."""
    with running(tmp_path, "oxflow", "--set", "run.stalled_s=1") as (process, port):
        write(process, b"good")
        write(process, line.encode())
        until(lambda: health(port)[0] == 503, process)
        _, found = health(port)
        (lane,) = found["lanes"]
        assert (found["status"], lane["stalled"], lane["state"]) == ("stalled", True, "works")
        assert (lane["step"], lane["name"], lane["offset"]) == ("slow", "stdin", 1)
        assert found["reasons"][0].startswith("lane 0 is in step `slow` for ")
        assert asked(port, "/ready") == (503, "stalled\n")
        assert 'oxflow_lane_stalled{lane="0"} 1\n' in asked(port, "/metrics")[1]
        # The last of what is said.
        until(lambda: " in slow\n" in (tmp_path / "log").read_text(encoding="utf-8"), process)
        log = (tmp_path / "log").read_text(encoding="utf-8")
        assert "lane 0 is in step `slow` for " in log
        assert "at stdin, offset 1\n  thread oxflow-lane-0 (" in log
        assert ("in hold\n" in log) == (line == "hold")


def test_a_handler_that_the_user_took_away_costs_a_stack_and_not_the_process(tmp_path: Path) -> None:
    with running(tmp_path, "oxflow", "--set", "run.stalled_s=1") as (process, _):
        write(process, b"deaf")
        until(lambda: "lane 0 is in step `slow` for " in (tmp_path / "log").read_text(encoding="utf-8"), process)
        assert "Python stack" not in (tmp_path / "log").read_text(encoding="utf-8")
        assert process.poll() is None


def test_a_handler_of_the_user_stays(tmp_path: Path) -> None:
    own = tmp_path / "own"
    with running(tmp_path, "oxflow", "--set", "run.stalled_s=1", environment={"OWN_STACKS": str(own)}) as (process, _):
        write(process, b"slow")
        until(lambda: " in slow\n" in (tmp_path / "log").read_text(encoding="utf-8"), process)
        assert own.read_bytes() == b""
        process.send_signal(signal.SIGRTMAX)
        until(lambda: b" in slow\n" in own.read_bytes(), process)


def test_one_lane_that_is_stuck_beside_others_that_move_is_no_health(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"slow\n")
    (tmp_path / "b.jsonl").write_bytes(b"nap\n" * 10_000)
    # Without checkpoints: for one the other lane would wait until the first is out of its step.
    options = ("--set", "run.stalled_s=1", "--set", "run.lanes=2", "--set", "run.delivery=at_least_once")
    with running(tmp_path, "oxflow", *options, source="file:*.jsonl") as (process, port):
        until(lambda: health(port)[0] == 503, process)
        _, found = health(port)
        assert {lane["lane"]: lane["stalled"] for lane in found["lanes"]} == {0: True, 1: False}
        assert [reason[:23] for reason in found["reasons"]] == ["lane 0 is in step `slow"]


def test_a_lane_that_another_keeps_from_the_interpreter_says_so(tmp_path: Path) -> None:
    meetings = [tmp_path / name for name in "ab"]
    for meeting in meetings:
        meeting.with_suffix(".jsonl").write_text(json.dumps({"text": str(meeting), "count": 1, "tags": {}}) + "\n")
    options = ("--set", "run.stalled_s=1", "--set", "run.lanes=2", "--set", "run.delivery=at_least_once")
    with running(tmp_path, "oxflow", *options, source="file:*.jsonl", pipeline=MEETING) as (process, port):
        until(lambda: all(meeting.exists() for meeting in meetings), process)
        meetings[0].unlink()
        until(lambda: len(health(port)[1].get("reasons", [])) == 2, process)
        _, found = health(port)
        assert {lane["lane"]: lane["state"] for lane in found["lanes"]} == {0: "works", 1: "waits_for_interpreter"}
        assert [reason.partition(" for ")[0] for reason in found["reasons"]] == [
            "lane 0 is in step `take`",
            "lane 1 waits",
        ]
        assert "to begin step `take`" in found["reasons"][1]


def test_a_disk_that_does_not_answer_is_no_health(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"nap\n" * 10_000)
    # A checkpoint waits until no lane is inside a batch.
    options = ("--set", "run.stalled_s=1", "--set", "run.checkpoint_ms=100", "--set", "run.batch.messages=5")
    # The first checkpoint is taken before the run starts.
    hung = {"OXFLOW_HANG": "sink-flushed:2"}
    with running(tmp_path, "oxflow", *options, source="file:in.jsonl", environment=hung) as (process, port):
        until(lambda: "a checkpoint or commit takes" in asked(port, "/health")[1], process)
        status, found = health(port)
        assert (status, found["status"]) == (503, "stalled")
        assert any("a checkpoint or commit takes" in reason for reason in found["reasons"])
        assert [lane["state"] for lane in found["lanes"]] == ["waits_for_checkpoint"]


def test_a_file_that_does_not_come_is_no_health(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"quick\n" * 10_000)
    options = ("--set", "run.stalled_s=1", "--set", "run.batch.bytes=1024")
    with running(tmp_path, "oxflow", *options, source="file:in.jsonl", environment={"OXFLOW_HANG": "file-read:2"}) as (
        process,
        port,
    ):
        until(lambda: "has read nothing for" in asked(port, "/health")[1], process)
        status, found = health(port)
        assert (status, [lane["state"] for lane in found["lanes"]]) == (503, ["reads"])


def is_connected(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def answers_beside_slow_clients(port: int) -> bool:
    """Whether an answer comes while others say nothing, and take nothing, and weren't sent away yet."""
    with contextlib.ExitStack() as slow:
        clients = [slow.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(20)]
        return health(port)[0] == 200 and any(is_connected(client) for client in clients)


def test_slow_clients_keep_nobody_waiting(tmp_path: Path) -> None:
    with running(tmp_path, "oxflow") as (process, port):
        # Again, where the machine stood still for the second that each of them has.
        until(lambda: answers_beside_slow_clients(port), process)


def test_a_run_that_drains_is_not_ready(tmp_path: Path) -> None:
    with running(tmp_path, "oxflow") as (process, port):
        write(process, b"slow")
        until(lambda: 'busy_lanes{step="slow",kind="map"} 1' in asked(port, "/metrics")[1], process)
        process.terminate()
        until(lambda: asked(port, "/ready") == (503, "stopping\n"), process)


def test_strangers_are_refused_and_disturb_nobody(tmp_path: Path) -> None:
    with running(tmp_path, "program") as (_, port):
        assert asked(port, "/")[0] == 404
        assert asked(port, "/health", "POST")[0] == 405
        for said in (b"\x16\x03\x01\x02\r\n\r\n", b"GET /" + b"x" * 20_000):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger, contextlib.suppress(OSError):
                stranger.sendall(said)
                assert stranger.recv(100).startswith(b"HTTP/1.1 400 ")
        with socket.create_connection(("127.0.0.1", port)):
            assert health(port)[0] == 200


def test_the_metrics_are_those_of_the_guide(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs/guides/watching.md").read_text(encoding="utf-8")
    with running(tmp_path, "program") as (_, port):
        shown = set(re.findall(r"^# TYPE (oxflow_\w+) ", asked(port, "/metrics")[1], re.MULTILINE))
    assert shown == set(re.findall(r"^\| `(oxflow_\w+)` \|", page, re.MULTILINE))
