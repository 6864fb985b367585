"""Messages that carry what is needed to judge them, and the judge.

Each carries the partition that it was written to, its number in it and a checksum of both. The judge knows nothing of oxflow:
it reads what is there with a client of its own.
"""

from __future__ import annotations

import contextlib
import json
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicPartition, admin
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How a message of a partition and number is marked.
Tag: TypeAlias = "Callable[[int, int], str]"
PARTITIONS = 4
TIMEOUT_S = 120.0
# What clients log while a broker is away is known.
QUIET: dict[str, Any] = {"log_level": 0}


def all_good(_partition: int, _number: int) -> str:
    return "good"


def message(partition: int, number: int, tag: str = "good") -> bytes:
    text = f"{partition}-{number}"
    word = {"text": text, "count": number, "tags": {"crc": str(zlib.crc32(text.encode())), "tag": tag}}
    return json.dumps(word).encode()


class Cluster:
    """What a test does with a broker beside running oxflow."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._admin = AdminClient({"bootstrap.servers": address, **QUIET})

    def create(self, *topics: str, partitions: int = PARTITIONS, config: dict[str, str] | None = None) -> None:
        """Make topics."""
        client: Any = self._admin
        new = [NewTopic(topic, partitions, 1, config=config or {}) for topic in topics]
        made: dict[str, Any] = client.create_topics(new)
        for one in made.values():
            one.result(TIMEOUT_S)

    def members(self, group: str) -> int:
        """How many members a group has."""
        admin: Any = self._admin
        return len(admin.describe_consumer_groups([group])[group].result(TIMEOUT_S).members)

    def widen(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        admin: Any = self._admin
        made: dict[str, Any] = admin.create_partitions([NewPartitions(topic, partitions)])
        made[topic].result(TIMEOUT_S)

    def narrow(self, topic: str, most_bytes: int) -> None:
        """Let a topic take no larger messages than that."""
        client: Any = self._admin
        untyped: Any = admin
        change = untyped.AlterConfigOpType.SET
        entry = untyped.ConfigEntry("max.message.bytes", str(most_bytes), incremental_operation=change)
        resource = untyped.ConfigResource(untyped.ResourceType.TOPIC, topic, incremental_configs=[entry])
        for one in client.incremental_alter_configs([resource]).values():
            one.result(TIMEOUT_S)

    def fill(self, topic: str, count: int, tag: Tag = all_good, start: int = 0) -> None:
        """Write `count` messages into each partition; those of one partition have one key."""
        producer = Producer({"bootstrap.servers": self.address, "enable.idempotence": True, "linger.ms": 20, **QUIET})
        for number in range(start, start + count):
            for partition in range(PARTITIONS):
                payload = message(partition, number, tag(partition, number))
                headers: Any = [("origin", str(partition))]
                producer.produce(topic, payload, key=f"key-{partition}", partition=partition, headers=headers)
            producer.poll(0)
        assert producer.flush(TIMEOUT_S) == 0

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Up to where the group has committed each partition; -1 for nowhere."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group, **QUIET})
        partitions, until = (
            [TopicPartition(topic, number) for number in range(PARTITIONS)],
            time.monotonic() + TIMEOUT_S,
        )
        try:
            while True:
                # A broker that has just started doesn't know yet whose groups it keeps.
                try:
                    found = consumer.committed(partitions, 5)
                except KafkaException:
                    assert time.monotonic() < until, f"nobody says what {group} has committed"
                    continue
                return {one.partition: max(one.offset, -1) for one in found}
        finally:
            consumer.close()

    def hanging(self, *topics: str) -> list[str]:
        """Name the partitions in which a transaction is open: what comes after its first message is shown to nobody."""
        shown = self.ends(*topics, level=IsolationLevel.READ_COMMITTED)
        return [
            f"{topic}[{number}]" for (topic, number), end in self.ends(*topics).items() if shown[topic, number] < end
        ]

    def ends(self, *topics: str, level: IsolationLevel = IsolationLevel.READ_UNCOMMITTED) -> dict[tuple[str, int], int]:
        """Where each partition of topics ends."""
        until = time.monotonic() + TIMEOUT_S
        while True:
            # Of a topic that was just made not every broker knows whose it is.
            with contextlib.suppress(KafkaException):
                return self._ends(topics, level)
            assert time.monotonic() < until, f"nobody says where {topics} end"
            time.sleep(0.1)

    def _ends(self, topics: tuple[str, ...], level: IsolationLevel) -> dict[tuple[str, int], int]:
        client: Any = self._admin
        untyped: Any = admin
        found: dict[str, Any] = client.list_topics(timeout=TIMEOUT_S).topics
        latest = untyped.OffsetSpec.latest()
        wanted = {TopicPartition(one, number): latest for one in topics for number in found[one].partitions}
        answers: dict[TopicPartition, Any] = client.list_offsets(
            wanted, isolation_level=level, request_timeout=TIMEOUT_S
        )
        return {(one.topic, one.partition): answer.result().offset for one, answer in answers.items()}

    def read(self, topic: str) -> Iterator[tuple[Any, bytes]]:
        """All that is committed in a topic, partition by partition, with the message as the client has it."""
        settings = {
            "bootstrap.servers": self.address,
            "group.id": "judge",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            **QUIET,
        }
        consumer = Consumer(settings)
        try:
            partitions = consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            open_partitions, until = set(partitions), time.monotonic() + TIMEOUT_S
            while open_partitions:
                assert time.monotonic() < until, f"{topic} could not be read"
                for one in consumer.consume(1000, 0.5):
                    error = one.error()
                    if error is None:
                        yield one, one.value() or b""
                    elif error.name() == "_PARTITION_EOF":
                        open_partitions.discard(one.partition() or 0)
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()


@dataclass
class Verdict:
    """What became of the messages.

    Attributes:
        lost: messages that are nowhere.
        repeated: how many came more than once, counted each time but the first.
        reordered: messages that came, for the first time, after one that follows them in their partition.
        corrupt: payloads whose checksum is another.
    """

    lost: set[str] = field(default_factory=set[str])
    repeated: int = 0
    reordered: list[str] = field(default_factory=list[str])
    corrupt: list[bytes] = field(default_factory=list[bytes])


def judge(expected: set[str], words: Iterator[dict[str, Any]]) -> Verdict:
    """Compare what was found with what was to be found."""
    verdict, seen = Verdict(), Counter[str]()
    last: dict[str, int] = {}
    for word in words:
        text = word["text"]
        if word["tags"]["crc"] != str(zlib.crc32(text.encode())):
            verdict.corrupt.append(json.dumps(word).encode())
        seen[text] += 1
        partition, number = text.split("-")
        if seen[text] == 1:
            if int(number) < last.get(partition, -1):
                verdict.reordered.append(text)
            last[partition] = int(number)
    verdict.lost = expected - set(seen)
    verdict.repeated = sum(seen.values()) - len(seen)
    assert not set(seen) - expected, "messages that nobody wrote"
    return verdict
