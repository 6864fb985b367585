"""Everything is undone while a lane is in a step for longer than it takes to commit again: exactly once all the same.

What such a lane settled before, it still shows, and nothing of it is written.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer

from judging import QUIET
from workers import wait_for

if TYPE_CHECKING:
    import subprocess

    from workers import Field

FIRST, MORE = 20, 200
# In a batch that others of the same lane come before.
STUCK_AT = (1, FIRST + 60)
# Longer than a partition that goes is waited for.
STUCK_S = 16
EACH = range(4)


def begun(field: Field, *settings: str, stuck_s: float = STUCK_S) -> subprocess.Popen[bytes]:
    """Start a worker and wait until it has committed something; its next messages get it stuck."""
    field.fill(FIRST)
    environment = {"FAULTS_STUCK": str(field.folder / "stuck"), "FAULTS_STUCK_S": str(stuck_s)}
    properties = {"heartbeat.interval.ms": 100}
    worker = field.start("run.instance_id=one", *settings, properties=properties, environment=environment)
    wait_for(field.is_done, "the first messages")
    return worker


def load(field: Field) -> None:
    """Write what gets it stuck, and wait until it is."""
    field.fill(MORE, lambda partition, number: "stuck" if (partition, number) == STUCK_AT else "good")
    wait_for((field.folder / "stuck").exists, "the step that gets stuck")


def fence(field: Field) -> None:
    """Take the worker's place among the producers: what it writes is in vain, which it finds out when it does."""
    settings = {"bootstrap.servers": field.address, "transactional.id": f"oxflow-{field.name}-one", **QUIET}
    Producer(settings).init_transactions(30)


def let_another_in(field: Field) -> None:
    """Join the group, and leave when the worker has given up some of its partitions. Nothing is committed."""
    settings = {
        "bootstrap.servers": field.address,
        "group.id": field.name,
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        **QUIET,
    }
    other = Consumer(settings)
    try:
        other.subscribe([field.topic("words")])
        wait_for(lambda: (other.poll(0.05), other.assignment())[1], "the other's partitions", 60)
    finally:
        other.close()


def test_nothing_is_committed_of_what_was_undone_while_partitions_go(fields: tuple[Field, Field]) -> None:
    """The partitions are still the worker's, since the group waits for the lane to give some of them up."""
    _, field = fields
    # Three seconds to come from the first message to the one that sticks, and another three until the next commit.
    worker = begun(field, "run.lanes=1", "run.checkpoint_ms=3000", "run.transaction_timeout_ms=60000")
    fence(field)
    load(field)
    assert set(field.committed().values()) == {FIRST}, "something was written after all"
    let_another_in(field)
    field.finish(worker)
    field.verify("partitions go")


@pytest.mark.parametrize(("how", "stuck_s"), [("fenced", STUCK_S), ("stopped", STUCK_S + 8)])
def test_a_lane_in_a_long_step_does_not_keep_others_from_committing(
    fields: tuple[Field, Field], how: str, stuck_s: float
) -> None:
    _, field = fields
    worker = begun(field, "run.checkpoint_ms=1000", stuck_s=stuck_s)
    if how == "fenced":
        fence(field)
        load(field)
    else:
        load(field)
        # Until its session and its transaction are over.
        worker.send_signal(signal.SIGSTOP)
        wait_for(lambda: not field.cluster.members(field.name), "the end of its membership", 20)
        wait_for(lambda: not field.cluster.hanging(*(field.topic(one) for one in ("plain", "rust"))), "its transaction")
        worker.send_signal(signal.SIGCONT)
    field.fill(MORE)
    wait_for(
        lambda: all(field.committed()[one] == field.count for one in EACH if one % 2 == 0), "the other lane", stuck_s
    )
    assert field.committed()[1] <= STUCK_AT[1], "the step has ended before"
    field.finish(worker)
    field.verify(how)
