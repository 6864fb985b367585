"""Many topics for one source: by a pattern, by several streams, and topics and partitions that come while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from probing import Probe
from workers import wait_for

if TYPE_CHECKING:
    import subprocess

    from raw import Raw

SEVERAL = Path(__file__).parent / "several_pipeline.py"
# New topics and partitions are to be seen soon.
SOON = {"topic.metadata.refresh.interval.ms": 500}


def values(raw: Raw) -> set[bytes]:
    return {value or b"" for _, value, _ in raw.read("plain")}


def wait_for_values(raw: Raw, run: subprocess.Popen[bytes], expected: set[bytes]) -> None:
    def there() -> bool:
        assert run.poll() is None, raw.log(run)
        return values(raw) >= expected

    wait_for(there, f"{sorted(expected)} in plain")


def is_committed(raw: Raw, topic: str, count: int) -> bool:
    return sum(offset for offset in raw.cluster.committed(raw.name, topic).values() if offset > 0) == count


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_topics_that_fit_a_pattern_are_read_also_those_that_come_later(raw: Raw, protocol: str) -> None:
    raw.create()
    topics = [f"{raw.name}-in-{number}" for number in range(3)]
    raw.cluster.create(*topics[:2], partitions=4)
    for topic in topics[:2]:
        raw.write(topic, topic.encode())
    pattern = f"^{raw.name}-in-.*"
    streams = raw.streams(raw.at, topic=pattern, group_protocol=protocol, properties=SOON)
    run = raw.start(streams)
    wait_for_values(raw, run, {topic.encode() for topic in topics[:2]})
    raw.cluster.create(topics[2], partitions=4)
    raw.write(topics[2], topics[2].encode())
    wait_for_values(raw, run, {topic.encode() for topic in topics})
    wait_for(lambda: all(is_committed(raw, topic, 1) for topic in topics), "the commit of each")
    raw.drain(run)
    # All is committed under its own topic: nothing is read again.
    again = raw.start(streams)
    raw.write(topics[0], b"last")
    wait_for_values(raw, again, {b"last"})
    raw.drain(again)
    assert len(raw.read("plain")) == 4


def test_the_lag_of_topics_that_fit_a_pattern_is_told(raw: Raw) -> None:
    raw.create()
    probe = Probe()
    topics = [f"{raw.name}-in-{number}" for number in range(2)]
    raw.cluster.create(*topics, partitions=2)
    raw.write(topics[0], b"a", b"b", b"c", spread=2)
    raw.write(topics[1], b"d")
    # It commits nothing before its end.
    run = raw.start(raw.streams(raw.at, topic=f"^{raw.name}-in-.*"), *probe.settings, "run.checkpoint_ms=3600000")
    wait_for_values(raw, run, {b"a", b"b", b"c", b"d"})
    expected = {f"{topics[0]}[0]": 2, f"{topics[0]}[1]": 1, f"{topics[1]}[0]": 1, f"{topics[1]}[1]": 0}

    def lag() -> dict[str, int]:
        return {one["name"]: one["lag"] for one in probe.health()[1].get("partitions", [])}

    wait_for(lambda: lag() == expected, f"the lag {expected}", 20)
    raw.drain(run)


def test_partitions_that_come_later_are_read(raw: Raw) -> None:
    raw.create()
    raw.write(raw.topic("words"), b"first")
    run = raw.start(raw.streams(raw.at, properties=SOON))
    wait_for_values(raw, run, {b"first"})
    raw.cluster.widen(raw.topic("words"), 3)
    raw.write(raw.topic("words"), *[b"%d" % number for number in range(30)], spread=3)
    wait_for_values(raw, run, {b"%d" % number for number in range(30)})
    raw.drain(run)


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_several_streams_are_read_by_one_source(raw: Raw, delivery: str) -> None:
    raw.create()
    raw.cluster.create(raw.topic("more"), partitions=2)
    streams: dict[str, Any] = raw.streams(raw.at)
    streams["more"] = {"kafka": {**streams["words"]["kafka"], "topic": raw.topic("more")}}
    raw.write(raw.topic("words"), b"a")
    raw.write(raw.topic("more"), b"b", b"c", spread=2)
    run = raw.start(streams, f"run.delivery={delivery}", pipeline=SEVERAL)
    wait_for_values(raw, run, {b"a words 0", b"b more 0", b"c more 1"})
    wait_for(lambda: is_committed(raw, raw.topic("more"), 2), "the commit of both")
    raw.drain(run)
    assert len(raw.read("plain")) == 3


def test_streams_of_two_groups_are_refused(raw: Raw) -> None:
    streams: dict[str, Any] = raw.streams(raw.at)
    streams["more"] = {"kafka": {**streams["words"]["kafka"], "topic": "other", "group": "other"}}
    run = raw.start(streams, pipeline=SEVERAL)
    assert run.wait(30) == 3
    assert "can't read `words` and `more` together" in raw.log(run)


def test_a_pattern_that_is_none_is_told(raw: Raw) -> None:
    raw.create()
    run = raw.start(raw.streams(raw.at, topic="^in-(.*"))
    assert run.wait(30) == 4, raw.log(run)
    log = raw.log(run)
    assert "cannot read topic `^in-(.*`" in log
    assert "a pattern is a regular expression" in log
