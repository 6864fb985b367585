"""At least once on a real broker, whatever happens to the worker, the broker or the group.

`OXFLOW_KAFKA_RUNS` sets how often each fault comes (`make faults`). A run that fails names its seed.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workers import wait_for

if TYPE_CHECKING:
    from broker import Broker
    from workers import Field

RUNS = int(os.environ.get("OXFLOW_KAFKA_RUNS", "1"))
SEED = int(os.environ.get("OXFLOW_SEED", str(random.SystemRandom().randrange(10**6))))
SLOW = {"FAULTS_PAUSE_S": "0.0003"}
PLACES = ("kafka-produce", "kafka-produced", "kafka-acknowledged", "kafka-commit", "kafka-committed")


def chance(name: str) -> random.Random:
    return random.Random(f"{SEED}{name}")  # noqa: S311  # to be repeated, not to be secret


def test_a_worker_that_is_killed_again_and_again_loses_nothing(field: Field) -> None:
    lots, kills = chance("kills"), 5 * RUNS
    for _ in range(kills):
        field.fill(1000)
        worker = field.start(environment=SLOW)
        field.wait_for_commits(20)
        time.sleep(lots.uniform(0, 1))
        worker.kill()
        worker.wait()
    field.finish(field.start())
    # Of each kill at most what a worker had read: two lanes, a batch of 50 each, and what waited in lists or for a commit.
    print(f"seed {SEED}: {kills} kills, {field.verify(SEED)} repeated")  # noqa: T201  # the figure of the run


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_at_a_named_place_loses_nothing(field: Field, place: str) -> None:
    bad = 97
    field.fill(300, lambda _, number: "bad" if number % bad == 0 else "good")
    for run in range(RUNS):
        for count in (1, 3):
            worker = field.start(environment={"OXFLOW_CRASH": f"{place}:{count + run}"})
            assert worker.wait(60) == -signal.SIGABRT, field.log(worker)
    field.finish(field.start())
    expected = {f"{partition}-{number}" for partition in range(4) for number in range(0, 300, bad)}
    letters = field.dead_letters()
    assert {letter["text"] for letter in letters} == expected
    field.verify(place, missing=expected)


def test_a_run_goes_on_by_itself_when_the_broker_comes_back(field: Field, broker: Broker) -> None:
    for run in range(RUNS):
        for number in (signal.SIGTERM, signal.SIGKILL):
            field.fill(1500)
            worker = field.start(environment=SLOW)
            field.wait_for_commits(20)
            broker.end(number)
            time.sleep(chance(f"broker {run}").uniform(0, 2))
            assert worker.poll() is None, field.log(worker)
            broker.start()
            assert field.wait_for_commits(30) < 30
            field.finish(worker)
    field.verify(SEED)


def test_workers_may_come_and_go_under_load(field: Field) -> None:
    seconds, lots = 20 * RUNS, chance("come and go")
    until, workers = time.monotonic() + seconds, [field.start(environment=SLOW)]
    furthest = dict.fromkeys(range(4), -1)
    while time.monotonic() < until:
        field.fill(200)
        if len(workers) > 1 and lots.random() < 0.5:
            field.drain(workers.pop(lots.randrange(len(workers))))
        else:
            workers.append(field.start(environment=SLOW))
        again = time.monotonic() + 2
        while time.monotonic() < again:
            now = field.committed()
            assert all(now[one] >= furthest[one] for one in now), f"seed {SEED}: a commit went back: {furthest} {now}"
            furthest = now
    field.finish(*workers)
    print(f"seed {SEED}: {len(field.processes)} workers, {field.verify(SEED)} repeated")  # noqa: T201


def test_a_worker_that_slept_too_long_commits_nothing_of_what_others_have_now(field: Field) -> None:
    for _ in range(RUNS):
        field.fill(1000)
        sleeper = field.start(environment=SLOW)
        field.wait_for_commits(20)
        sleeper.send_signal(signal.SIGSTOP)
        other = field.start()
        wait_for(field.is_done, "the other worker's part")
        done = field.committed()
        sleeper.send_signal(signal.SIGCONT)
        field.fill(100)
        # Both are in the group again: what is written now comes through, and no offset goes back.
        wait_for(field.is_done, "the part of both")
        assert all(offset >= done[partition] for partition, offset in field.committed().items())
        field.finish(sleeper, other)
    field.verify(SEED)


def test_a_step_that_is_stuck_costs_no_membership(field: Field) -> None:
    field.fill(400, lambda partition, number: "stuck" if (partition, number) == (1, 50) else "good")
    stuck = field.folder / "stuck"
    # Who doesn't poll for so long is thrown out of the group, and what it had is read again by others.
    worker = field.start(
        properties={"max.poll.interval.ms": 5000}, environment={"FAULTS_STUCK": str(stuck), "FAULTS_STUCK_S": "12"}
    )
    wait_for(stuck.exists, "the step that gets stuck")
    field.finish(worker)
    field.verify(SEED, most_repeated=0)


def test_one_bad_message_in_a_thousand_becomes_one_dead_letter(field: Field) -> None:
    field.fill(2000, lambda partition, number: "bad" if (number + partition) % 1000 == 7 else "good")
    field.finish(field.start())
    expected = {
        f"{partition}-{number}" for partition in range(4) for number in range(2000) if (number + partition) % 1000 == 7
    }
    letters = field.dead_letters()
    assert sorted(letter["text"] for letter in letters) == sorted(expected)
    for letter in letters:
        assert letter["letter"]["origin"]["offset"] == int(letter["text"].split("-")[1])
        assert letter["letter"]["step"] == "taste"
        assert letter["letter"]["key"] == letter["key"] == f"key-{letter['text'].split('-')[0]}"
    field.verify(SEED, most_repeated=0, missing=expected)


def test_nothing_but_bad_messages_stop_at_the_limit_and_are_not_lost(field: Field) -> None:
    field.fill(1000, lambda _partition, _number: "bad")
    worker = field.start("run.dead_letters.max_in_a_row=100")
    assert worker.wait(60) == 5, field.log(worker)
    letters = {letter["text"] for letter in field.dead_letters()}
    for partition, offset in field.committed().items():
        # What is committed is a dead letter; what isn't is still there to be read.
        assert {f"{partition}-{number}" for number in range(max(offset, 0))} <= letters
    assert len(letters) < 1000


def test_workers_of_one_command_are_replaced_when_killed_and_drained_together(field: Field) -> None:
    field.fill(1500)
    command = field.start(workers=3, environment=SLOW)
    wait_for(lambda: len(children(command.pid)) == 3, "three workers")
    field.wait_for_commits(20)
    first = children(command.pid)[0]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(now := children(command.pid)) == 3 and first not in now, "the worker that takes its place")
    field.fill(500)
    wait_for(field.is_done, "all of it")
    workers = children(command.pid)
    field.drain(command)
    assert not [one for one in workers if Path(f"/proc/{one}").exists()]
    field.verify(SEED)


def test_an_interrupt_from_the_terminal_drains_the_workers(field: Field) -> None:
    field.fill(500)
    command = field.start(workers=2, environment=SLOW)
    wait_for(lambda: len(children(command.pid)) == 2, "two workers")
    field.wait_for_commits(20)
    workers = children(command.pid)
    os.killpg(command.pid, signal.SIGINT)
    assert command.wait(60) == 0, field.log(command)
    assert not [one for one in workers if Path(f"/proc/{one}").exists()]


def test_one_worker_that_fails_ends_the_others_with_its_exit_code(field: Field) -> None:
    field.fill(300, lambda partition, number: "bad" if (partition, number) == (2, 100) else "good")
    command = field.start("steps.taste.on_error=fail", workers=2)
    assert command.wait(60) == 1, field.log(command)
    assert not children(command.pid)


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in found.read_text(encoding="ascii").split()] if found.exists() else []
