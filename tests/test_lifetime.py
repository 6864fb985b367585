"""Runs end before the interpreter does, whatever is raised and whoever runs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

TIMES = 20

# Messages of a millisecond each, in small batches: without an end from outside it takes twenty seconds.
BEGINNING = """
import os, signal, threading, time
import oxflow
from oxflow import Map, Serializer, StreamSink, streaming_source

def slow(msg):
    time.sleep(0.001)
    return {"a": [1]}

pipeline = (
    streaming_source("in", stream_name="a")
    .apply(Map("slow", function=slow)).apply(Serializer("write")).sink(StreamSink("out", stream_name="b"))
)

def ours():
    # The system takes a moment to forget a thread that was joined.
    until = time.monotonic() + 5
    while threads := [name for name in map(named, os.listdir("/proc/self/task")) if "oxflow" in name]:
        if time.monotonic() > until:
            break
    return threads

def named(thread):
    try:
        return open(f"/proc/self/task/{thread}/comm").read().strip()
    except OSError:
        return ""

def run():
    return oxflow.run(
        pipeline, streams={"a": [b"x"] * 20_000, "b": "null:"}, config={"run": {"batch": {"messages": 5}}}
    )
"""


def ends(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BEGINNING + script]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=15)


@pytest.mark.parametrize("_attempt", range(TIMES))
def test_a_daemon_threads_run_ends_with_the_main_thread(_attempt: int) -> None:
    done = ends(
        """
threading.Thread(target=run, daemon=True).start()
time.sleep(0.1)
print("main ends")
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "main ends\n", "")


@pytest.mark.parametrize("_attempt", range(TIMES))
def test_what_another_signals_handler_raises_ends_the_run_first(_attempt: int) -> None:
    done = ends(
        """
def handler(*_):
    raise RuntimeError("the user's timeout")

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    run()
except RuntimeError as error:
    print(error, ours())
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "the user's timeout []\n", "")


def test_a_run_whose_end_nobody_waited_for_ends_with_the_process() -> None:
    done = ends(
        """
def handler(_, frame):
    # Only while the call goes on: anywhere else nobody would be there to catch it.
    while frame and frame.f_code is not run.__code__:
        frame = frame.f_back
    if frame:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        raise RuntimeError("again and again")

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    run()
except RuntimeError as error:
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(error)
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "again and again\n", "")


def test_no_run_starts_while_the_interpreter_exits() -> None:
    done = ends(
        """
import atexit
from oxflow import testing

def late():
    try:
        testing.run(pipeline, {"a": [b"x"]})
    except RuntimeError as error:
        print(error)

atexit.register(late)
# Registered after `late`, so that it comes before.
testing.run(pipeline, {"a": [b"x"]})
"""
    )
    assert (done.returncode, done.stdout) == (0, "the interpreter is exiting: no run can start\n")


def test_a_forked_child_waits_for_no_lanes() -> None:
    done = ends(
        """
threading.Thread(target=run, daemon=True).start()
time.sleep(0.1)
child = os.fork()
if child:
    print(os.waitpid(child, 0)[1])
"""
    )
    assert (done.returncode, done.stdout) == (0, "0\n")
