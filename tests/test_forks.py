"""Steps that fork: a child has signals of its own, and keeps no run from its end."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")

PROGRAM = """
import os, signal, sys, time
import oxflow
from oxflow import Map, StreamSink, streaming_source

children = []

def fork(message):
    if message.payload == b"fork":
        ready, started = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(started, b"!")
            time.sleep(60)
            os._exit(0)
        children.append(child)
        # Before that what the parent does with signals may still be the child's.
        os.read(ready, 1)
        STEP
    return message.payload

pipeline = streaming_source("source", stream_name="in").apply(Map("fork", function=fork)).sink(StreamSink("sink", stream_name="out"))
report = oxflow.run(pipeline, streams={"in": [b"a", b"fork", b"b", b"c"], "out": "memory:"})
print(report.ended, report.stopped_by, len(report.outputs["out"]))
for child in children:
    os.kill(child, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run(step: str, folder: Path) -> list[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("STEP", step), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", str(program)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.splitlines()


def test_a_child_that_lives_on_does_not_keep_a_run_from_its_end(tmp_path: Path) -> None:
    assert run("pass", tmp_path) == ["True None 4", "-15"]


def test_a_signal_to_a_child_is_none_to_the_run(tmp_path: Path) -> None:
    ends = "os.kill(child, signal.SIGTERM); print(os.waitstatus_to_exitcode(os.waitpid(children.pop(), 0)[1]))"
    assert run(ends, tmp_path) == ["-15", "True None 4"]
