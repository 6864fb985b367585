"""The endpoint of a run: what it answers while the run starts, goes on, stalls and stops."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pure_binary import binary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PIPELINE = """\
import time
from oxflow import Map, StreamSink, streaming_source

def slow(message):
    if message.payload == b"slow":
        time.sleep(60)
    return message.payload

pipeline = streaming_source("in", stream_name="lines").apply(Map("slow", function=slow)).sink(StreamSink("out", stream_name="words"))
"""
WAYS = ["oxflow", "program"]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextlib.contextmanager
def running(folder: Path, way: str, *options: str) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """A run that reads from its standard input, and the port of its endpoint."""
    port = free_port()
    (folder / "slow.py").write_text(PIPELINE, encoding="utf-8")
    called = [sys.executable, "-m", "oxflow", "run", "slow.py"] if way == "oxflow" else [str(binary())]
    bound = [
        "--stream",
        "lines=stdin:",
        "--stream",
        "words=file:out",
        "--set",
        f"run.endpoint.address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(
        [*called, *bound, *options], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            until(lambda: asked(port, "/ready")[0] == 200, process)
            yield process, port
        finally:
            process.kill()


def asked(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


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
    with running(tmp_path, way, "--set", "run.endpoint.stalled_s=1") as (process, port):
        write(process, b'{"text": "oxen"}')
        until(
            lambda: (
                re.search(r'messages_out_total\{step="out",kind="sink"\} 1$', asked(port, "/metrics")[1], re.MULTILINE)
                is not None
            ),
            process,
        )
        assert asked(port, "/health") == (200, "ok\n")
        time.sleep(1.5)
        assert asked(port, "/health") == (200, "ok\n")
        assert asked(port, "/ready") == (200, "ready\n")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
        assert asked(port, "/health")[0] == 0


def test_a_step_that_comes_to_no_end_is_no_health(tmp_path: Path) -> None:
    with running(tmp_path, "oxflow", "--set", "run.endpoint.stalled_s=1") as (process, port):
        write(process, b"slow")
        until(lambda: asked(port, "/health") == (503, "stalled\n"), process)
        assert asked(port, "/ready") == (200, "ready\n")


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
            # Says nothing: the next one waits a second for it, and no longer.
            assert asked(port, "/health") == (200, "ok\n")


def test_the_metrics_are_those_of_the_guide(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs/guides/pure-rust.md").read_text(encoding="utf-8")
    with running(tmp_path, "program") as (_, port):
        shown = set(re.findall(r"^# TYPE (oxflow_\w+) ", asked(port, "/metrics")[1], re.MULTILINE))
    assert shown == set(re.findall(r"^\| `(oxflow_\w+)` \|", page, re.MULTILINE))
