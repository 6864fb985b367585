"""Dead letters in a topic of a real broker: looked at, sent again, noted, and what a crash in between costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, Producer

from judging import QUIET
from workers import wait_for

if TYPE_CHECKING:
    from workers import Field

EACH = 50


def bad(_partition: int, number: int) -> str:
    return "bad" if number % 5 == 2 else "good"


def command(field: Field, action: str, *options: str) -> list[str]:
    config = field.config(1500, {})
    return [sys.executable, "-m", "oxflow", "dead-letters", action, f"--config={config}", *options]


def letters(field: Field, action: str, *options: str, crash: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({} if crash is None else {"OXFLOW_CRASH": crash})
    return subprocess.run(
        command(field, action, *options), check=False, capture_output=True, text=True, env=environment
    )


def listed(field: Field, *options: str) -> list[dict[str, Any]]:
    done = letters(field, "ls", "--json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def work(field: Field) -> None:
    """Let a worker come to the end of what lies there."""
    ends = {
        partition: sum(1 for one, _ in field.cluster.read(field.topic("words")) if one.partition() == partition)
        for partition in range(4)
    }
    worker = field.start()
    # Of a partition that holds nothing nothing is committed.
    wait_for(
        lambda: all(end == 0 or field.committed()[partition] >= end for partition, end in ends.items()), "all of it"
    )
    field.drain(worker)


def test_what_is_replayed_comes_back_with_its_count_and_once(field: Field) -> None:
    assert listed(field) == []
    field.fill(EACH, bad)
    work(field)
    first = listed(field)
    assert len(first) == 4 * EACH // 5
    assert {(letter["state"], letter["replays"]) for letter in first} == {("open", 0)}
    some = letters(field, "replay", "--partition=1", "--offsets=10..30")
    # Numbers 12, 17, 22 and 27 of the partition.
    assert (some.returncode, some.stdout) == (0, f"replayed 4 dead letters: 4 to topic `{field.topic('words')}`\n"), (
        some.stderr
    )
    dropped = letters(field, "drop", "--partition=0")
    assert (dropped.returncode, dropped.stdout) == (0, "dropped 10 dead letters\n"), dropped.stderr
    rest = letters(field, "replay", "--json")
    assert json.loads(rest.stdout)["replayed"] == len(first) - 14
    assert letters(field, "replay").stdout == "replayed 0 dead letters\n"
    assert listed(field) == []
    work(field)
    again = listed(field)
    # Each once more, with the place where it was read first.
    assert len(again) == len(first) - 10
    assert {letter["replays"] for letter in again} == {1}
    places = {
        f"{field.topic('words')}[{letter['origin']['partition']}]@{letter['origin']['offset']}" for letter in first
    }
    assert {letter["replayed_from"] for letter in again} == places - {place for place in places if "[0]" in place}
    by_id = {letter["id"]: letter for letter in first}
    for letter in again:
        headers = dict(letter["headers"])
        before = by_id[headers["oxflow-letter"]]
        assert (letter["payload"], letter["key"]) == (before["payload"], before["key"])
        assert headers["origin"] == dict(before["headers"])["origin"]


def test_a_replay_that_is_ended_half_way_loses_nothing(field: Field) -> None:
    field.fill(EACH, bad)
    work(field)
    count = len(listed(field))
    # The messages are there, their note is not.
    for place in ("kafka-produced", "kafka-produce:2"):
        ended = letters(field, "replay", crash=place)
        assert ended.returncode == -signal.SIGABRT, ended.stderr
        assert len(listed(field)) == count
    assert letters(field, "replay").returncode == 0
    assert listed(field) == []
    again = replayed(field)
    assert len(set(again)) == count
    assert len(again) >= 2 * count


def replayed(field: Field) -> list[bytes]:
    """What was sent again."""
    found = field.cluster.read(field.topic("words"))
    return [value for one, value in found if dict(one.headers() or []).get("oxflow-letter")]


def test_of_several_replays_at_once_each_message_is_sent_by_one(field: Field) -> None:
    field.fill(EACH, bad)
    work(field)
    count = len(listed(field))
    running = [
        subprocess.Popen(command(field, "replay", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    done = [one.communicate(timeout=60) for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], done
    assert sum(json.loads(output)["replayed"] for output, _ in done) == count
    assert len(replayed(field)) == count


def test_a_replay_that_waits_too_long_for_another_one_says_so(field: Field) -> None:
    field.fill(EACH, bad)
    work(field)
    topic = field.topic("dead-letters")
    other = Consumer({"bootstrap.servers": field.address, "group.id": f"oxflow-dead-letters-{topic}", **QUIET})
    other.subscribe([topic])
    wait_for(lambda: (other.poll(0.1), other.assignment())[1], "its place")
    for action in ("replay", "drop"):
        refused = letters(field, action)
        assert (refused.returncode, "another `oxflow dead-letters`" in refused.stderr) == (4, True), refused.stderr
        assert letters(field, action, "--dry-run").returncode == 0
    other.close()
    assert letters(field, "replay").returncode == 0
    assert listed(field) == []


def test_a_deletion_stays_one(field: Field) -> None:
    producer = Producer({"bootstrap.servers": field.address, **QUIET})
    producer.produce(field.topic("words"), None, key=b"gone", partition=2)
    assert producer.flush(30) == 0
    work(field)
    (found,) = listed(field)
    assert (found["tombstone"], found["step"], found["key"]) == (True, "parse", "gone")
    refused = letters(field, "replay", f"--to=file:{field.folder}/again.jsonl")
    assert (refused.returncode, "a deletion, which only a topic has" in refused.stderr) == (1, True), refused.stderr
    assert letters(field, "replay").returncode == 0
    sent = [one for one, _ in field.cluster.read(field.topic("words"))]
    assert [(one.key(), one.value()) for one in sent] == [(b"gone", None)] * 2


def test_what_is_wrong_with_a_topic_is_said(field: Field) -> None:
    for place, said in (
        (f"kafka://{field.address}/none-such", "create the topic"),
        ("kafka://127.0.0.1:1/t", "check that the brokers run"),
    ):
        command = [sys.executable, "-m", "oxflow", "dead-letters", "ls", place]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (done.returncode, said in done.stderr) == (4, True), done.stderr
