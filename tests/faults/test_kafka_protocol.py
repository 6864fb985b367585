"""The group protocol of KIP-848, in which the broker shares out the partitions, on a real broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from workers import wait_for

if TYPE_CHECKING:
    import subprocess

    from raw import Raw

CONSUMER: dict[str, Any] = {"group_protocol": "consumer"}


def values(raw: Raw) -> list[bytes]:
    return [value or b"" for _, value, _ in raw.read("plain")]


def write(raw: Raw, start: int, count: int) -> set[bytes]:
    """Write numbers into four partitions."""
    written = [b"%d" % number for number in range(start, start + count)]
    raw.write(raw.topic("words"), *written, spread=4)
    return set(written)


def committed(raw: Raw) -> int:
    return sum(max(offset, 0) for offset in raw.cluster.committed(raw.name, raw.topic("words")).values())


def wait_for_all(raw: Raw, expected: set[bytes], *runs: subprocess.Popen[bytes]) -> None:
    def there() -> bool:
        assert all(run.poll() is None for run in runs), "".join(map(raw.log, runs))
        return set(values(raw)) >= expected

    wait_for(there, f"{len(expected)} messages in plain")


def test_a_run_that_comes_again_goes_on_where_it_was(raw: Raw) -> None:
    raw.create(partitions=4)
    expected = write(raw, 0, 100)
    for again in range(2):
        run = raw.start(raw.streams(raw.at, **CONSUMER))
        wait_for_all(raw, expected, run)
        raw.drain(run)
        assert committed(raw) == len(expected)
        expected |= write(raw, 1000 * (again + 1), 50)
    assert len(values(raw)) == 150


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_members_come_and_go_and_one_is_killed(raw: Raw, delivery: str) -> None:
    raw.create(partitions=4)
    expected = write(raw, 0, 100)
    first = raw.start(raw.streams(raw.at, **CONSUMER), f"run.delivery={delivery}")
    wait_for_all(raw, expected, first)
    second = raw.start(raw.streams(raw.at, **CONSUMER), f"run.delivery={delivery}")
    wait_for(lambda: raw.members() == 2, "the second member")
    expected |= write(raw, 1000, 100)
    wait_for_all(raw, expected, first, second)
    first.kill()
    expected |= write(raw, 2000, 100)
    # Its partitions come to the other when its session is over.
    wait_for_all(raw, expected, second)
    wait_for(lambda: committed(raw) == len(expected), "the last commit")
    raw.drain(second)
    assert raw.members() == 0
    assert delivery == "at_least_once" or len(values(raw)) == len(expected)
