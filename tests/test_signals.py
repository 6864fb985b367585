"""Ctrl-C always works: one signal drains a run, the next one ends the process, whatever the run is doing."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import oxflow
from oxflow import Map, Message, StreamSink, streaming_source

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

APP = """
import time
from pathlib import Path
import test_steps
from oxflow import Map, Message, Parser, Serializer, StreamSink, streaming_source

def enter(message: Message[bytes]) -> bytes:
    Path("began").touch()
    return message.payload

def sleep(message: Message[bytes]) -> bytes:
    time.sleep(60)
    return message.payload

def hold_the_interpreter(message: Message[bytes]) -> bytes:
    sum(range(10**11))
    return message.payload

def wait(message: Message[bytes]) -> bytes:
    while not Path("go").exists():
        time.sleep(0.01)
    return message.payload

start = streaming_source("source", stream_name="in").apply(Map("enter", function=enter))
sink = StreamSink("sink", stream_name="out")
pipelines = {
    function.__name__: start.apply(Map("step", function=function)).sink(sink)
    for function in (enter, sleep, hold_the_interpreter, wait)
}
pipelines["spin"] = (
    start.apply(Parser("parse", test_steps.Word)).apply(Map("step", function=test_steps.spin))
    .apply(Serializer("serialize")).sink(sink)
)
locals().update(pipelines)
"""
# After which a test fails instead of waiting on.
PATIENCE_S = 30
NOTE = b"oxflow: stopping; a second signal ends it at once\n"
WORD = b'{"text":"a","count":1,"tags":{}}\n'


@contextlib.contextmanager
def running(folder: Path, pipeline: str, sink: str = "out.jsonl", lines: int = 1) -> Generator[subprocess.Popen[bytes]]:
    (folder / "app.py").write_text(APP)
    (folder / "in.jsonl").write_bytes(WORD * lines)
    streams = ("--stream", "in=file:in.jsonl", "--stream", f"out=file:{sink}")
    command = [sys.executable, "-m", "oxflow", "run", f"app.py:{pipeline}", *streams, "--json"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < last
        time.sleep(0.02)


def goes_on(process: subprocess.Popen[bytes]) -> None:
    # For longer than signals that belong together are apart.
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)


def tells_that_it_stops(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    assert process.stderr.readline() == NOTE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("pipeline", ["sleep", "hold_the_interpreter", "spin"])
def test_the_second_signal_ends_the_process_whatever_a_step_does(
    pipeline: str, number: signal.Signals, tmp_path: Path
) -> None:
    with running(tmp_path, pipeline) as process:
        until((tmp_path / "began").exists, process)
        process.send_signal(number)
        goes_on(process)
        process.send_signal(number)
        assert process.wait(5) == 130


def test_signals_that_come_together_are_one(tmp_path: Path) -> None:
    with running(tmp_path, "wait") as process:
        until((tmp_path / "began").exists, process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        tells_that_it_stops(process)
        (tmp_path / "go").touch()
        assert process.wait(20) == 0
    assert (tmp_path / "out.jsonl").read_bytes() == WORD


def test_a_start_that_hangs_ends_with_the_first_signal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with running(tmp_path, "enter", sink="pipe") as process:

        def is_starting() -> bool:
            tasks = Path(f"/proc/{process.pid}/task").iterdir()
            return any((task / "comm").read_text() == "oxflow-start\n" for task in tasks)

        until(is_starting, process)
        process.send_signal(signal.SIGINT)
        out, notes = process.communicate(timeout=20)
    assert (process.returncode, notes) == (0, NOTE)
    report = json.loads(out)
    assert (report["status"], report["ended"], report["messages_in"]) == ("drained", False, 0)
    assert report["stopped_by"] == "SIGINT"


@contextlib.contextmanager
def stuck_in_the_sink(folder: Path) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """A run whose sink is a pipe that is full, and the end of it to read from."""
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with running(folder, "enter", sink="pipe", lines=50_000) as process:
            full = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
            until(lambda: waiting_bytes(reader) == full, process)
            yield process, reader
    finally:
        os.close(reader)


def waiting_bytes(descriptor: int) -> int:
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_the_second_signal_ends_a_process_whose_sink_nobody_reads(tmp_path: Path) -> None:
    with stuck_in_the_sink(tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        tells_that_it_stops(process)
        goes_on(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130


def test_a_run_is_drained_into_a_sink_that_is_read_again(tmp_path: Path) -> None:
    with stuck_in_the_sink(tmp_path) as (process, reader):
        process.send_signal(signal.SIGTERM)
        tells_that_it_stops(process)
        os.set_blocking(reader, True)
        delivered = 0
        while chunk := os.read(reader, 1 << 20):
            delivered += chunk.count(b"\n")
        out, _ = process.communicate(timeout=20)
    report = json.loads(out)
    assert process.returncode == 0
    assert (delivered, report["stopped_by"]) == (report["messages_out"], "SIGTERM")


def ignore(_number: int, _frame: object) -> None:
    pass


def test_the_descriptor_and_the_handlers_of_a_caller_stay() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno())

    def interrupt(message: Message[bytes]) -> bytes:
        os.kill(os.getpid(), signal.SIGWINCH)
        return message.payload

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    winch = signal.signal(signal.SIGWINCH, ignore)
    try:
        pipeline = streaming_source("source", stream_name="in").apply(Map("interrupt", function=interrupt))
        oxflow.run(pipeline.sink(StreamSink("sink", stream_name="out")), streams={"in": [b"x"], "out": "null:"})
    finally:
        signal.signal(signal.SIGWINCH, winch)
        kept = signal.set_wakeup_fd(before)
    assert ours.recv(8) == bytes([signal.SIGWINCH])
    assert kept == theirs.fileno()
    assert {number: signal.getsignal(number) for number in handlers} == handlers
    ours.close()
    theirs.close()
