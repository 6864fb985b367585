"""The ends of processes, forks, and collectors that are not as they should be."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from certificates import Certificates
from collector import Collector
from oxflow import telemetry
from oxflow.telemetry import Config, MetricSink, OtlpLogSink, TraceSink, start_span

if TYPE_CHECKING:
    from pathlib import Path

# How often a fork is tried.
FORKS = int(os.environ.get("OXFLOW_TELEMETRY_FORKS", "50"))


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of Python and let it end by itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env={**kept, **environment})


HEAD = """
import os, sys, time
from oxflow import telemetry
from oxflow.telemetry import Config, MetricSink, OtlpLogSink, TraceSink, start_span
telemetry.init(Config(sys.argv[2], sinks=[TraceSink(sys.argv[1]), MetricSink(sys.argv[1]), OtlpLogSink(sys.argv[1])]))
"""


# --- importing ------------------------------------------------------------------------------------------------------


def test_importing_begins_nothing() -> None:
    program = """
import sys, threading, os
from oxflow import telemetry
print(threading.active_count(), len(os.listdir("/proc/self/task")), "opentelemetry" in sys.modules, "logging" in sys.modules)
"""
    assert run(program).stdout.split() == ["1", "1", "False", "False"]


# --- the end --------------------------------------------------------------------------------------------------------


def test_a_process_that_ends_delivers_all(collector: Collector) -> None:
    work = """
for number in range(3000):
    with start_span("work", {"number": number}):
        pass
telemetry.get_meter("m").counter("c").add(1)
telemetry.get_logger("l").info("ended")
"""
    run(HEAD + work, collector.grpc, "ends")
    numbers = {span["attributes"]["number"] for span in collector.spans("ends", 3000)}
    assert numbers == set(range(3000))
    assert len(collector.metrics("ends", 1)) == 1
    assert len(collector.logs("ends", 1)) == 1


def test_a_process_that_fails_delivers_all(collector: Collector) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(HEAD + "with start_span('failing'): raise SystemExit(3)", collector.grpc, "fails")
    assert collector.spans("fails", 1)[0]["name"] == "failing"


def test_after_the_end_nobody_waits(collector: Collector) -> None:
    work = """
counter = telemetry.get_meter("m").counter("c")
counter.add(1)
assert telemetry.shutdown(20)
started = time.monotonic()
for _ in range(3):
    telemetry.force_flush(30)
    telemetry.shutdown(30)
assert time.monotonic() - started < 15
"""
    run(HEAD + work, collector.grpc, "over")


def test_a_second_init_sends_what_was_measured_to_the_first_ones_collector(collector: Collector) -> None:
    work = """
counter = telemetry.get_meter("m").counter("c")
counter.add(5)
telemetry.init(Config("second", sinks=[MetricSink(sys.argv[1])]))
counter.add(2)
"""
    run(HEAD + work, collector.grpc, "first")
    for service, value in (("first", 5), ("second", 2)):
        (metric,) = collector.metrics(service, 1)
        assert [int(point["asInt"]) for point in metric["sum"]["dataPoints"]] == [value]


# --- forks ----------------------------------------------------------------------------------------------------------


def test_parent_and_child_deliver_their_own(collector: Collector) -> None:
    work = """
count = int(sys.argv[3])
counter = telemetry.get_meter("m").counter("forked")
for round in range(count):
    start_span(f"before {round}").end()
    counter.add(1)
    child = os.fork()
    if child == 0:
        with start_span(f"child {round}"):
            counter.add(1)
        delivered = telemetry.force_flush(20)
        made = {sink.signal: sink.made for sink in telemetry.stats().sinks}
        os._exit(0 if delivered and made == {"traces": 1, "metrics": 1, "logs": 0} else 1)
    start_span(f"parent {round}").end()
    assert os.waitpid(child, 0)[1] == 0, telemetry.stats()
assert telemetry.force_flush(20)
"""
    run(HEAD + work, collector.grpc, "forks", str(FORKS))
    names = [span["name"] for span in collector.spans("forks", 3 * FORKS)]
    expected = [f"{who} {number}" for who in ("before", "child", "parent") for number in range(FORKS)]
    assert sorted(names) == sorted(expected)
    ids = {span["spanId"] for span in collector.spans("forks", 3 * FORKS)}
    assert len(ids) == 3 * FORKS


def test_a_fork_amid_work_of_many_threads_does_not_hang(collector: Collector) -> None:
    work = """
import threading
going = True
def busy():
    counter = telemetry.get_meter("m").counter("busy")
    while going:
        start_span("busy", {"a": "x" * 50}).end()
        counter.add(1, {"a": 1})
threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads: thread.start()
for round in range(int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        start_span("child").end()
        os._exit(0 if telemetry.force_flush(20) else 1)
    assert os.waitpid(child, 0)[1] == 0
going = False
for thread in threads: thread.join()
counts = telemetry.stats().sinks[0]
assert counts.made == counts.delivered + counts.dropped.total + counts.queued
"""
    run(HEAD + work, collector.grpc, "busy-forks", str(FORKS))
    children = [span for span in collector.spans("busy-forks", FORKS) if span["name"] == "child"]
    assert len(children) <= FORKS
    patience = time.monotonic() + 20
    while len(children) < FORKS and time.monotonic() < patience:
        children = [span for span in collector.spans("busy-forks", FORKS) if span["name"] == "child"]
    assert len(children) == FORKS


@pytest.mark.parametrize("records", ["True", "False"])
def test_hooks_of_others_may_wait_and_record_amid_a_fork(collector: Collector, records: str) -> None:
    # The last hook that was registered is called first, so this one is called after that of telemetry.
    before = """
import os
hook = None
os.register_at_fork(before=lambda: hook and hook())
"""
    work = """
import threading
going = True
def busy():
    while going:
        start_span("busy").end()
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads: thread.start()
def hook():
    time.sleep(0.002)
    if sys.argv[4] == "True":
        start_span("hook").end()
for round in range(int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        start_span("child").end()
        os._exit(0 if telemetry.force_flush(20) else 1)
    assert os.waitpid(child, 0)[1] == 0
going = False
for thread in threads: thread.join()
"""
    service = f"hooks-{records}"
    run(before + HEAD + work, collector.grpc, service, "10", records)
    patience = time.monotonic() + 20
    while sum(span["name"] == "child" for span in collector.spans(service, 10)) < 10:
        assert time.monotonic() < patience


def test_a_lock_that_a_hook_of_the_application_takes_costs_no_fork() -> None:
    """Registered before `init`, and so called after what `init` registers: another thread has the lock while it records."""
    work = """
import os, sys, threading
lock = threading.Lock()
os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
from oxflow import telemetry
from oxflow.telemetry import Config, MetricSink, TraceSink
telemetry.init(Config("locks", exit_timeout_s=0, sinks=[TraceSink("http://127.0.0.1:9"), MetricSink("http://127.0.0.1:9")]))
counter = telemetry.get_meter("m").counter("c")
going = True
def busy():
    while going:
        with lock:
            counter.add(1, {"a": 1})
threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads: thread.start()
for round in range(300):
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
going = False
for thread in threads: thread.join()
"""
    run(work)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_of_multiprocessing_deliver_at_their_end(collector: Collector, tmp_path: Path, method: str) -> None:
    module = tmp_path / "workers_of_telemetry.py"
    module.write_text(
        """
import multiprocessing, sys
from oxflow import telemetry
from oxflow.telemetry import Config, TraceSink, start_span

def begin():
    telemetry.init(Config(sys.argv[2], sinks=[TraceSink(sys.argv[1])]))

def work(number):
    if multiprocessing.get_start_method() != "fork":
        begin()
    with start_span(f"worker {number}"):
        pass

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[3])
    begin()
    start_span("parent").end()
    workers = [multiprocessing.Process(target=work, args=(number,)) for number in range(4)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
""",
        encoding="utf-8",
    )
    service = f"workers-{method}"
    subprocess.run([sys.executable, str(module), collector.grpc, service, method], check=True, timeout=60)
    names = [span["name"] for span in collector.spans(service, 5)]
    assert sorted(names) == ["parent", *(f"worker {number}" for number in range(4))]


# --- collectors -----------------------------------------------------------------------------------------------------


def test_where_nobody_listens_the_program_goes_on_and_ends(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        telemetry.init(Config("nobody", sinks=[TraceSink(address, batch_max_queue=100, batch_max_export=10)]))
        slowest = 0.0
        for _ in range(20_000):
            begun = time.perf_counter()
            start_span("work").end()
            slowest = max(slowest, time.perf_counter() - begun)
        begun = time.monotonic()
        assert not telemetry.shutdown(10)
        assert time.monotonic() - begun < 9
    counts = telemetry.stats().sinks[0]
    assert (counts.made, counts.delivered, counts.queued) == (20_000, 0, 0)
    assert counts.dropped.total == 20_000
    assert counts.dropped.full >= 19_000
    said = capfd.readouterr().err
    assert said.count("oxflow.telemetry:") == 1
    assert "were lost" in said
    # One call of 20,000 may meet another process on this machine.
    assert slowest < 2


def test_a_silent_collector_stops_nobody() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/logs"
        telemetry.init(Config("silent", sinks=[OtlpLogSink(address, "http/protobuf")]))
        telemetry.get_logger("l").info("never")
        begun = time.monotonic()
        assert not telemetry.force_flush(0.5)
        assert not telemetry.shutdown(0.5)
        # An export may take ten seconds.
        assert time.monotonic() - begun < 8


def test_the_interpreter_is_free_while_a_flush_waits() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        telemetry.init(Config("free", sinks=[TraceSink(f"http://127.0.0.1:{silent.getsockname()[1]}")]))
        start_span("x").end()
        flushing = threading.Thread(target=telemetry.force_flush, args=(1.0,))
        flushing.start()
        turns = 0
        while flushing.is_alive():
            turns += 1
            time.sleep(0.001)
        telemetry.shutdown(0.1)
    assert turns > 100


def test_tls_with_certificates_of_both_sides(tmp_path: Path) -> None:
    Certificates(tmp_path)
    pair = f"cert_file: {tmp_path}/server.pem, key_file: {tmp_path}/server.pem"
    tls = f", tls: {{ {pair}, client_ca_file: {tmp_path}/ca.pem }}"
    one = Collector(tmp_path, tls)
    one.start()
    try:
        sure: dict[str, Any] = {"certificate": tmp_path / "ca.pem"}
        ours: dict[str, Any] = {"client_certificate": tmp_path / "client.pem", "client_key": tmp_path / "client.pem"}
        for sink in (
            TraceSink(one.grpc, **sure, **ours),
            TraceSink(one.http + "/v1/traces", "http/protobuf", **sure, **ours),
        ):
            telemetry.init(Config("secret", sinks=[sink]))
            start_span("secret").end()
            assert telemetry.shutdown(20), telemetry.stats()
        assert len(one.spans("secret", 2)) == 2
        for wrong in (sure, {}):
            telemetry.init(Config("secret", sinks=[TraceSink(one.grpc, **wrong, retry_ms=1)]))
            start_span("secret").end()
            assert not telemetry.shutdown(10)
            assert telemetry.stats().sinks[0].dropped.undelivered == 1
    finally:
        one.stop()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_requests_may_be_compressed(collector: Collector, compression: Any) -> None:
    service = f"compressed-{compression}"
    sinks = [
        TraceSink(collector.grpc, compression=compression),
        TraceSink(collector.http + "/v1/traces", "http/protobuf", compression=compression, headers={"X-Key": "secret"}),
    ]
    telemetry.init(Config(service, sinks=sinks))
    for _ in range(100):
        start_span("work").end()
    assert telemetry.shutdown(20)
    assert len(collector.spans(service, 200)) == 200
    assert "secret" not in repr(sinks)


# --- settings -------------------------------------------------------------------------------------------------------


def test_the_variables_of_opentelemetry_are_heard(collector: Collector) -> None:
    program = """
from oxflow import telemetry
from oxflow.telemetry import start_span
telemetry.init()
with start_span("kept", {"a": 1, "b": 2}):
    telemetry.get_logger("l").info("said")
"""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.grpc,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.name=other",
        "OTEL_SERVICE_NAME": "by-variables",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1",
    }
    run(program, **variables)
    span = collector.spans("by-variables", 1)[0]
    assert (span["attributes"], span["resource"]["deployment.environment.name"]) == ({"a": 1}, "test")
    assert collector.logs("by-variables", 1)[0]["traceId"] == span["traceId"]
    run(program, **{**variables, "OTEL_SERVICE_NAME": "off", "OTEL_TRACES_SAMPLER": "always_off"})
    assert collector.logs("off", 1)[0]["flags"] & 1 == 0
    run(program, **{**variables, "OTEL_SDK_DISABLED": "true", "OTEL_SERVICE_NAME": "disabled"})
    for wrong in ({"OTEL_TRACES_SAMPLER": "sometimes"}, {"OTEL_BSP_MAX_QUEUE_SIZE": "many"}):
        with pytest.raises(subprocess.CalledProcessError) as raised:
            run(program, **{**variables, **wrong})
        assert next(iter(wrong.values())) in raised.value.stderr


def test_without_sinks_all_stands_on_the_console() -> None:
    program = """
import sys
from oxflow import telemetry
from oxflow.telemetry import Config, start_span
telemetry.init(Config("shown", console_format=sys.argv[1]))
logger = telemetry.get_logger("shop.cart")
with start_span("paying", {"user": "a b"}):
    logger.warn("careful", attributes={"n": 1})
    logger.debug("hidden")
"""
    lines = run(program, "json").stderr.splitlines()
    said, span = (json.loads(line) for line in lines)
    assert (said["level"], said["message"], said["attributes"], said["scope"]) == (
        "WARN",
        "careful",
        {"n": 1},
        "shop.cart",
    )
    assert (span["span"], span["attributes"], span["trace_id"]) == ("paying", {"user": "a b"}, said["trace_id"])
    compact = run(program, "compact").stderr
    assert " WARN shop.cart: careful n=1 trace_id=" in compact
    assert " SPAN oxflow.telemetry: paying ms=" in compact
    assert "\x1b" not in compact
    assert "hidden" not in compact


def test_settings_that_cannot_be_are_errors_that_say_so(tmp_path: Path) -> None:
    for config, text in (
        (Config(sinks=[TraceSink("ftp://host")]), "begins with neither"),
        (Config(sinks=[TraceSink("http://host", "http")]), "no protocol `http`"),  # type: ignore[arg-type]
        (Config(sinks=[TraceSink("http://host", sampler="rarely")]), "no sampler `rarely`"),
        (Config(sinks=[TraceSink("http://host", sampler_arg=2, sampler="traceidratio")]), "from 0 to 1"),
        (Config(sinks=[TraceSink("http://host", headers={"a b": "c"})]), "`a b` is no header"),
        (Config(sinks=[TraceSink("https://host", certificate=tmp_path / "none.pem")]), "none.pem"),
        (Config(sinks=[MetricSink("http://host", temporality="daily")]), "no temporality `daily`"),  # type: ignore[arg-type]
        (Config(sinks=[TraceSink("http://host:99999")]), "no number up to 65535"),
        (Config(sinks=[TraceSink("http://host")] * 8), "7 sinks for traces at most"),
        (Config(console_level="loud"), "no level `loud`"),
        (Config(console_format="round"), "no format of the console `round`"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=text):
            telemetry.init(config)
