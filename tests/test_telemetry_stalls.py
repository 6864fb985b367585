"""What stands still beside telemetry, a console, a callback, a collector, stops nothing else."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from collector import Collector

HEAD = """
import os, sys, threading
from oxflow import telemetry
from oxflow.telemetry import Config, MetricSink, TraceSink, start_span
"""


@contextlib.contextmanager
def running(program: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """A program whose standard error nobody reads until the test does."""
    command = [sys.executable, "-c", HEAD + program, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_console_that_nobody_reads_stops_no_export(collector: Collector) -> None:
    program = """
telemetry.init(Config("unread", sinks=[TraceSink(sys.argv[1], batch_schedule_delay_ms=100)], console_level="info"))
# More than a pipe holds.
for _ in range(10_000):
    telemetry.get_logger("l").info("x" * 100)
print(flush=True)
sys.stdin.readline()
start_span("after").end()
child = os.fork()
if child == 0:
    start_span("in a child").end()
    os._exit(0)
os.waitpid(child, 0)
print(flush=True)
sys.stdin.readline()
"""
    with running(program, collector.grpc) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        assert [span["name"] for span in collector.spans("unread", 1)] == ["after"]


def test_a_callback_that_comes_to_no_end_stops_no_export(collector: Collector) -> None:
    program = """
asked = threading.Event()

def stuck():
    asked.set()
    threading.Event().wait()

sinks = [TraceSink(sys.argv[1], batch_schedule_delay_ms=100), MetricSink(sys.argv[1], export_interval_ms=100)]
telemetry.init(Config("stuck", sinks=sinks))
telemetry.get_meter("m").observable_gauge("g", callback=stuck)
asked.wait()
start_span("after").end()
sys.stdin.readline()
"""
    with running(program, collector.grpc):
        assert [span["name"] for span in collector.spans("stuck", 1)] == ["after"]


def test_an_interrupt_ends_the_wait_for_a_collector_that_says_nothing() -> None:
    program = """
telemetry.init(Config("interrupted", sinks=[TraceSink(sys.argv[1])]))
start_span("work").end()
try:
    print(flush=True)
    telemetry.force_flush(600)
except KeyboardInterrupt:
    os._exit(7)
"""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with running(program, f"http://127.0.0.1:{silent.getsockname()[1]}") as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 7
