"""The job as a plain loop over confluent-kafka: `confluent_loop.py BROKERS TOPIC TOPIC COUNT`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer

sys.path.insert(0, str(Path(__file__).parent.parent))

from work import whole


def main(brokers: str, source: str, sink: str, count: int) -> None:
    """Read `count` messages, write what becomes of them, commit once a second what is acknowledged."""
    at = {"bootstrap.servers": brokers}
    consumer = Consumer(
        {**at, "group.id": f"loop-{sink}", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    room = {"queue.buffering.max.messages": 1_000_000}
    producer = Producer({**at, "acks": "all", "enable.idempotence": True, **room})
    consumer.subscribe([source])
    read, committed = 0, time.monotonic()
    while read < count:
        found = consumer.consume(10_000, 0.1)
        for message in found:
            producer.produce(sink, whole(message.value() or b""))
        producer.poll(0)
        read += len(found)
        if read and time.monotonic() - committed > 1:
            producer.flush()
            consumer.commit(asynchronous=False)
            committed = time.monotonic()
    producer.flush()
    consumer.commit(asynchronous=False)
    consumer.close()


if __name__ == "__main__":
    brokers_given, source_given, sink_given, count_given = sys.argv[1:]
    main(brokers_given, source_given, sink_given, int(count_given))
