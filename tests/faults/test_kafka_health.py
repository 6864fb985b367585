"""What a run on a real broker says of itself while a sink stands still, a step holds the interpreter, or the broker is gone.

`OXFLOW_KAFKA_STALL_S` and `OXFLOW_KAFKA_HOLD_S` set for how long, `OXFLOW_KAFKA_STALL_RUNS` how often (`make faults`). The session ends sooner, so that whoever is silent
meanwhile is thrown out of the group, and what he had comes twice.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from network import Network
from probing import Probe
from workers import wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from broker import Broker
    from workers import Field

STALL_S = float(os.environ.get("OXFLOW_KAFKA_STALL_S", "8"))
RUNS = range(int(os.environ.get("OXFLOW_KAFKA_STALL_RUNS", "1")))
HOLD_S = float(os.environ.get("OXFLOW_KAFKA_HOLD_S", "10"))
SESSION_MS = 3000
SLOW = {"FAULTS_PAUSE_S": "0.0003"}
# What a worker may have on its way: two lanes, three sinks, 16 MiB each, the messages themselves for the dead letters, and what is read
# ahead of four partitions, 8 MiB each. Without a limit it would be twice as much, since what lies there is.
MOST_GROWTH_BYTES = 280 << 20
LARGE_BYTES = 10_000
LOAD = 1800


@pytest.fixture
def network(broker: Broker) -> Iterator[Network]:
    one = Network(broker.proxy, broker.behind_proxy)
    yield one
    one.end()


def resident_bytes(process: subprocess.Popen[bytes]) -> int:
    return int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def test_lag_and_a_lost_broker_are_told(field: Field, broker: Broker) -> None:
    probe = Probe()
    field.fill(50)
    worker = field.start(*probe.settings)
    wait_for(field.is_done, "the first messages")
    wait_for(lambda: probe.has_lag(0), "no lag", 20)
    assert probe.health()[0] == 200
    assert 'oxflow_source_lag_messages{stream="words",partition="3"} 0\n' in probe.ask("/metrics")[1]
    broker.end(signal.SIGKILL)
    wait_for(lambda: probe.health()[0] == 503, "that it is told", 30)
    assert "no broker of stream `words` has answered for" in probe.reasons()
    assert probe.ask("/ready")[0] == 503
    broker.start()
    wait_for(lambda: probe.health()[0] == 200, "that it goes on", 30)
    field.fill(50)
    field.finish(worker)
    field.verify("a lost broker")


@pytest.mark.parametrize("_run", RUNS)
def test_a_sink_that_stands_still_costs_neither_memory_nor_the_membership(
    field: Field, network: Network, broker: Broker, _run: int
) -> None:
    probe = Probe()
    # The sinks alone go by the bad network.
    field.sinks_address = broker.proxy
    field.fill(50)
    worker = field.start(*probe.settings, "run.batch.messages=1000", session_ms=SESSION_MS)
    wait_for(field.is_done, "the first messages")
    # Accepts, and passes nothing on.
    network.add_upstream("timeout", timeout=0)
    before = resident_bytes(worker)
    field.fill(LOAD, lambda _partition, _number: "x" * LARGE_BYTES)
    # With the whole load there, so that nothing but the limit stops it.
    wait_for(lambda: probe.reasons().count("waits for sinks") == 2, "that both lanes stand", 60)
    until, most = time.monotonic() + STALL_S, 0
    while time.monotonic() < until:
        most = max(most, resident_bytes(worker))
        assert probe.health()[0] == 503
        time.sleep(0.1)
    assert probe.longest_s < 1, f"an answer took {probe.longest_s} s"
    assert most - before < MOST_GROWTH_BYTES, f"grew by {(most - before) >> 20} MiB"
    committed = field.committed()
    # All of it would have been read.
    assert max(committed.values()) < field.count
    network.remove()
    wait_for(lambda: probe.health()[0] == 200, "that it goes on", 60)
    field.finish(worker)
    # Whoever is thrown out of the group reads again.
    field.verify("a sink that stands still", most_repeated=0)


@pytest.mark.parametrize("_run", RUNS)
def test_a_step_that_holds_the_interpreter_is_named_and_costs_no_membership(field: Field, _run: int) -> None:
    probe = Probe()
    place = (2, 60)
    field.fill(200, lambda partition, number: "held" if (partition, number) == place else "good")
    held = field.folder / "held"
    environment = {"FAULTS_STUCK": str(held), "FAULTS_STUCK_S": str(HOLD_S)}
    worker = field.start(
        *probe.settings, session_ms=SESSION_MS, properties={"max.poll.interval.ms": SESSION_MS}, environment=environment
    )
    wait_for(held.exists, "the step that holds it")
    until = time.monotonic() + HOLD_S * 0.7
    stalled: list[dict[str, Any]] = []
    while time.monotonic() < until:
        # The other lane may have been kept from the interpreter inside of its own step.
        stalled += [lane for lane in probe.health()[1]["lanes"] if lane["stalled"] and lane["partition"] == place[0]]
        time.sleep(0.1)
    assert probe.longest_s < 1, f"an answer took {probe.longest_s} s"
    assert {(lane["step"], lane["partition"], lane["offset"]) for lane in stalled} == {("taste", *place)}
    field.finish(worker)
    log = field.log(worker)
    assert f"is in step `taste` for 2 s, and no message comes further, at {field.topic('words')}[2], offset 60" in log
    assert "in taste\n" in log
    field.verify("a held interpreter", most_repeated=0)
