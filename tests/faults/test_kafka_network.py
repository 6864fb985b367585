"""A bad network between worker and broker costs time, but no message."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from network import Network
from workers import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker import Broker
    from workers import Field

RUNS = int(os.environ.get("OXFLOW_KAFKA_NETWORK_RUNS", "1"))
SLOW = {"FAULTS_PAUSE_S": "0.0003"}
BAD_S = 2.0
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
def test_a_bad_network_loses_nothing(field: Field, network: Network, broker: Broker, kind: str) -> None:
    field.address = broker.proxy
    field.fill(300)
    worker = field.start(session_ms=6000, environment=SLOW)
    wait_for(field.is_done, "the first messages")
    counts: list[tuple[int, int]] = []
    for _ in range(RUNS + 2):
        spoil(network, kind)
        field.fill(300)
        time.sleep(BAD_S)
        mend(network, kind)
        assert wait_for(field.is_done, "what came meanwhile", 60) < 30
        counts.append(held(worker.pid))
    # The first time clients start threads for what they have lost; these stay, and there are no more of them.
    assert counts[-1][0] <= counts[0][0] + 1, f"threads and descriptors: {counts}"
    assert counts[-1][1] <= counts[0][1] + 4, f"threads and descriptors: {counts}"
    field.finish(worker)
    field.verify(kind)


@pytest.mark.parametrize("tag", ["good", "bad"])
def test_a_worker_that_is_killed_while_its_outputs_are_on_their_way_loses_nothing(
    field: Field, network: Network, broker: Broker, tag: str
) -> None:
    """A commit is short and overtakes the outputs, which have a narrow line: it must not be sent before they arrived."""
    for _ in range(RUNS):
        field.address = broker.proxy
        field.fill(2000, lambda _partition, _number: tag)
        # What comes to the worker comes quickly.
        network.add_upstream("bandwidth", rate=40)
        worker = field.start(session_ms=6000)
        field.wait_for_commits(60)
        time.sleep(2)
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
