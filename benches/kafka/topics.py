"""Topics of the benchmark on a broker of its own, and when a contestant has written all that it has to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PARTITIONS = 4
TIMEOUT_S = 120.0


class Field:
    """What is done with the broker beside the contestants."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._at: dict[str, Any] = {"bootstrap.servers": address, "log_level": 0}
        self._admin: Any = AdminClient(self._at)
        self._consumer = Consumer({**self._at, "group.id": "watching"})

    def create(self, topic: str) -> None:
        """Make a topic."""
        self._admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(TIMEOUT_S)
        # The client that watches would learn of it a little later.
        while len(self._consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions) < PARTITIONS:
            time.sleep(0.05)

    def remove(self, topic: str) -> None:
        """Remove a topic, so that the disk doesn't fill."""
        self._admin.delete_topics([topic])[topic].result(TIMEOUT_S)

    def fill(self, topic: str, messages: Iterable[bytes]) -> None:
        """Make a topic and write messages, in turn to each partition."""
        self.create(topic)
        producer = Producer({**self._at, "linger.ms": 50, "queue.buffering.max.messages": 1_000_000})
        for number, message in enumerate(messages):
            producer.produce(topic, message, partition=number % PARTITIONS)
            if number % 1000 == 0:
                producer.poll(0)
        if producer.flush(TIMEOUT_S):
            raise SystemExit(f"{topic} could not be filled")

    def size(self, topic: str) -> int:
        """How many messages are in a topic, where none was removed and nobody writes in transactions."""
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        until = time.monotonic() + TIMEOUT_S
        while True:
            # For a moment nobody leads the partitions of a topic that was just made.
            try:
                return sum(self._consumer.get_watermark_offsets(one, TIMEOUT_S)[1] for one in partitions)
            except KafkaException:  # noqa: PERF203  # how long it takes doesn't matter
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def committed(self, group: str, topic: str) -> int:
        """How many messages of a topic a group is through with."""
        consumer = Consumer({**self._at, "group.id": group})
        found = consumer.committed([TopicPartition(topic, number) for number in range(PARTITIONS)], TIMEOUT_S)
        consumer.close()
        return sum(max(one.offset, 0) for one in found)

    def wait_until(self, there: Callable[[], int], count: int, is_over: Callable[[], bool]) -> None:
        """Wait until so many messages are `there`."""
        until = time.monotonic() + TIMEOUT_S
        while there() < count:
            if is_over():
                raise SystemExit(f"it ended with {there()} of {count} messages")
            if time.monotonic() > until:
                raise SystemExit(f"{there()} of {count} messages after {TIMEOUT_S:.0f} s")
            time.sleep(0.05)

    def values(self, topic: str) -> list[bytes]:
        """All that is in a topic."""
        consumer = Consumer({**self._at, "group.id": "comparing", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        found: list[bytes] = []
        count = self.size(topic)
        while len(found) < count:
            found += [one.value() or b"" for one in consumer.consume(count - len(found), 1.0)]
        consumer.close()
        return found
