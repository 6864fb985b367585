"""A bad network between worker and broker costs time, but no message."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from network import Network
from probing import Probe
from workers import wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from broker import Broker
    from workers import Field

RUNS = int(os.environ.get("OXFLOW_KAFKA_NETWORK_RUNS", "1"))
SLOW = {"FAULTS_PAUSE_S": "0.0003"}
BAD_S = 2.0
# Batches of two lanes and three sinks: more than the line takes in a second.
MANY = 12
TOXICS: dict[str, dict[str, int]] = {
    "latency": {"latency": 500, "jitter": 300},
    "bandwidth": {"rate": 100},
    "timeout": {"timeout": 1000},
    "reset_peer": {"timeout": 300},
    # In the middle of a frame.
    "limit_data": {"bytes": 3333},
}


@pytest.fixture
def network(broker: Broker) -> Iterator[Network]:
    one = Network(broker.proxy, broker.behind_proxy)
    yield one
    one.end()


def held(process: int) -> tuple[int, int]:
    """Threads and descriptors of a process."""
    folder = Path(f"/proc/{process}")
    return len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))


def spoil(network: Network, kind: str) -> None:
    if kind == "down":
        network.switch(on=False)
    else:
        network.add(kind, **TOXICS[kind])


def mend(network: Network, kind: str) -> None:
    if kind == "down":
        network.switch(on=True)
    else:
        network.remove()


@pytest.mark.parametrize("kind", [*TOXICS, "down"])
def test_a_bad_network_loses_nothing(fields: tuple[Field, Field], network: Network, broker: Broker, kind: str) -> None:
    workers: list[subprocess.Popen[bytes]] = []
    for field in fields:
        field.address = broker.proxy
        field.fill(300)
        workers.append(field.start(session_ms=6000, environment=SLOW))
    wait_for(lambda: all(field.is_done() for field in fields), "the first messages")
    counts: list[list[tuple[int, int]]] = [[] for _ in fields]
    for _ in range(RUNS + 2):
        spoil(network, kind)
        for field in fields:
            field.fill(300)
        time.sleep(BAD_S)
        mend(network, kind)
        assert wait_for(lambda: all(field.is_done() for field in fields), "what came meanwhile", 60) < 30
        for at, worker in enumerate(workers):
            counts[at].append(held(worker.pid))
    for field, worker, count in zip(fields, workers, counts, strict=True):
        # The first time clients start threads for what they have lost; these stay, and there are no more of them.
        assert count[-1][0] <= count[0][0] + 1, f"threads and descriptors: {count}"
        assert count[-1][1] <= count[0][1] + 4, f"threads and descriptors: {count}"
        field.finish(worker)
        field.verify(kind)


@pytest.mark.parametrize("tag", ["good", "bad"])
def test_a_worker_that_is_killed_while_its_outputs_are_on_their_way_loses_nothing(
    field: Field, network: Network, broker: Broker, tag: str
) -> None:
    """A commit is short and overtakes the outputs, which have a narrow line: it must not be sent before they arrived."""
    probe = Probe()
    for _ in range(RUNS):
        field.address = broker.proxy
        field.fill(2000, lambda _partition, _number: tag)
        # What comes to the worker comes quickly.
        network.add_upstream("bandwidth", rate=40)
        worker = field.start(*probe.settings, session_ms=6000)
        wait_for(lambda: probe.under_way() > MANY, "that the line is full", 60)
        # By then some of it has been acknowledged, or none of it was waited for.
        field.wait_for_commits(60)
        worker.kill()
        worker.wait()
        network.remove()
    field.address = field.cluster.address
    # So that the last one has something to do whatever was committed.
    field.fill(100)
    field.finish(field.start())
    bad = (
        {f"{partition}-{number}" for partition in range(4) for number in range(2000 * RUNS)}
        if tag == "bad"
        else set[str]()
    )
    lost = bad - {letter["text"] for letter in field.dead_letters()}
    assert not lost, f"{len(lost)} dead letters lost"
    field.verify("a narrow line", missing=bad)
