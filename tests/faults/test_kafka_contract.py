"""What the configuration says of a topic holds on a real broker, and by its defaults a worker that was killed is soon replaced."""

from __future__ import annotations

import itertools
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from broker import resolve
from judging import QUIET, TIMEOUT_S
from workers import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker import Broker
    from raw import Raw

PARTITIONS = 7
# As a record batch has them in its attributes.
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def values(raw: Raw) -> list[bytes]:
    return [value or b"" for _, value, _ in raw.read("plain")]


def by_java(keys: Sequence[str]) -> list[int]:
    """Where Java's producer sends them."""
    program = Path(__file__).parent / "Partitions.java"
    command = ["java", "-cp", f"{resolve()}/*", str(program), str(PARTITIONS)]
    done = subprocess.run(command, input="\n".join(keys), capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


def test_keys_go_where_the_producer_of_java_sends_them(raw: Raw) -> None:
    keys = [f"{word}{number}" for word in ("key-", "ключ", "") for number in range(100)]
    raw.create(partitions=PARTITIONS)
    producer = Producer({"bootstrap.servers": raw.cluster.address, **QUIET})
    for key in keys:
        producer.produce(raw.topic("words"), key.encode(), key=key.encode(), partition=0)
    assert producer.flush(TIMEOUT_S) == 0
    run = raw.start(raw.streams(raw.at))
    raw.wait_for("plain", len(keys), run)
    raw.drain(run)
    found = {value.decode(): one.partition() for one, value in raw.cluster.read(raw.topic("plain"))}
    assert found == dict(zip(keys, by_java(keys), strict=True))
    assert set(found.values()) == set(range(PARTITIONS))


def test_the_latest_is_what_comes_from_now_on(raw: Raw) -> None:
    raw.create()
    raw.write(raw.topic("words"), b"before")
    run = raw.start(raw.streams(raw.at, auto_offset_reset="latest"))
    numbers = itertools.count()

    def there() -> list[bytes]:
        raw.write(raw.topic("words"), b"after %d" % next(numbers))
        return values(raw)

    wait_for(there, "what is written after it has begun")
    raw.drain(run)
    assert b"before" not in values(raw)


def test_a_group_that_has_committed_nothing_may_be_an_error(raw: Raw) -> None:
    raw.create()
    raw.write(raw.topic("words"), b"before")
    run = raw.start(raw.streams(raw.at, auto_offset_reset="error"))
    assert run.wait(60) == 4
    assert "`auto_offset_reset`" in raw.log(run)
    assert values(raw) == []


@pytest.mark.parametrize("codec", CODECS)
def test_the_broker_keeps_what_a_sink_sent_compressed(raw: Raw, broker: Broker, codec: str) -> None:
    raw.create()
    raw.write(raw.topic("words"), b"grow 20000", key=b"k")
    streams = raw.streams(raw.at)
    streams["plain"]["kafka"]["compression"] = codec
    run = raw.start(streams)
    raw.wait_for("plain", 1, run)
    raw.drain(run)
    assert values(raw) == [b"x" * 20_000]
    assert CODECS[broker.codec(raw.topic("plain"))] == codec


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_worker_that_was_killed_is_replaced_within_20_seconds(raw: Raw, delivery: str) -> None:
    raw.create(partitions=4)
    raw.write(raw.topic("words"), *[b"%d" % number for number in range(100)], spread=4)
    first = raw.start(raw.streams(raw.at), f"run.delivery={delivery}")
    raw.wait_for("plain", 1, first)
    first.kill()
    raw.write(raw.topic("words"), *[b"%d" % number for number in range(100, 200)], spread=4)
    again, began = raw.start(raw.streams(raw.at), f"run.delivery={delivery}"), time.monotonic()
    wait_for(lambda: len(set(values(raw))) == 200, "all of it")
    assert time.monotonic() - began < 20
    raw.drain(again)
    assert delivery == "at_least_once" or len(values(raw)) == 200
