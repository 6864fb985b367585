"""At least once and exactly once on a real broker, whatever happens to the worker, the broker or the group.

Each fault comes to both at the same time: most of what it costs is waiting.

`OXFLOW_KAFKA_RUNS` sets how often each fault comes, `OXFLOW_KAFKA_KILLS` how often a worker is killed at random, `OXFLOW_KAFKA_BROKER_RUNS` how
often the broker is stopped and killed, `OXFLOW_KAFKA_BAD_RUNS` how often bad messages come, and `OXFLOW_KAFKA_LOAD_S` how long workers come and go (`make faults`). A run that fails names its seed.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workers import start_each, wait_for, wait_for_commits

if TYPE_CHECKING:
    import subprocess

    from broker import Broker
    from workers import Field, Left

RUNS = int(os.environ.get("OXFLOW_KAFKA_RUNS", "1"))
KILLS = int(os.environ.get("OXFLOW_KAFKA_KILLS", "5"))
BROKER_RUNS = int(os.environ.get("OXFLOW_KAFKA_BROKER_RUNS", "1"))
BAD_RUNS = range(int(os.environ.get("OXFLOW_KAFKA_BAD_RUNS", "1")))
LOAD_S = int(os.environ.get("OXFLOW_KAFKA_LOAD_S", "20"))
SEED = int(os.environ.get("OXFLOW_SEED", str(random.SystemRandom().randrange(10**6))))
SLOW = {"FAULTS_PAUSE_S": "0.0003"}
# Longer than the one broker is away. A broker that finds a transaction timed out when it starts calls it aborted and writes no
# markers (Kafka 4.3.1: `__transaction_state` has CompleteAbort, no partition has a control batch of that epoch), so that the
# next transaction of the producer commits what was undone.
PATIENT = "run.transaction_timeout_ms=60000"
SHARED_PLACES = (
    "kafka-produce", "kafka-produced", "kafka-acknowledged", "kafka-commit", "kafka-committed", "dead-letter", "dead-lettered",
)  # fmt: skip
# Of transactions alone.
PLACES = ("kafka-offsets",)
# What is tried of the engine alone is tried on a program without Python.
PROGRAM = pytest.mark.parametrize("fields", ["program"], indirect=True)
BOTH = pytest.mark.parametrize("fields", ["python", "program"], indirect=True)


def chance(name: str) -> random.Random:
    return random.Random(f"{SEED}{name}")  # noqa: S311  # to be repeated, not to be secret


@BOTH
@pytest.mark.parametrize("part", range(-(-KILLS // 5)))
def test_a_worker_that_is_killed_again_and_again_loses_nothing(fields: tuple[Field, Field], part: int) -> None:
    lots, kills = chance(f"kills {part}"), min(5, KILLS - 5 * part)
    lives: list[list[Left]] = [[] for _ in fields]
    for _ in range(kills):
        for field, left in zip(fields, lives, strict=True):
            field.fill(1000)
            left.append(field.left())
        workers = start_each(fields, environment=SLOW)
        wait_for_commits(fields, 20)
        time.sleep(lots.uniform(0, 1))
        for worker in workers:
            worker.kill()
            worker.wait()
    # So that the last one has something to do whatever was committed.
    for field, left in zip(fields, lives, strict=True):
        field.fill(100)
        left.append(field.left())
    for field, worker in zip(fields, start_each(fields), strict=True):
        field.finish(worker)
    repeated = [field.verify(SEED) for field in fields]
    # No more comes again than what had not been committed.
    again = [field.come_again(left) for field, left in zip(fields, lives, strict=True)]
    assert again == [[], []], f"seed {SEED}: {[len(texts) for texts in again]} repeated"
    print(f"seed {SEED}: {kills} kills, {repeated} repeated")  # noqa: T201  # the figure of the run


@PROGRAM
@pytest.mark.parametrize("place", [*PLACES, *SHARED_PLACES])
def test_a_crash_at_a_named_place_loses_nothing(fields: tuple[Field, Field], place: str) -> None:
    bad = 97
    tried = fields if place in SHARED_PLACES else fields[1:]
    for run in range(RUNS):
        # Long enough for so many commits.
        environment = {"OXFLOW_CRASH": f"{place}:{1 + (run + 1) % 3}", "FAULTS_PAUSE_S": "0.003"}
        workers = start_each(
            tried, 150, tag=lambda _, number: "bad" if number % bad == 0 else "good", environment=environment
        )
        for field, worker in zip(tried, workers, strict=True):
            assert worker.wait(60) == -signal.SIGABRT, field.log(worker)
    # So that the last one has something to do whatever was committed.
    for field, worker in zip(tried, start_each(tried, 50), strict=True):
        field.finish(worker)
        expected = {f"{partition}-{number}" for partition in range(4) for number in range(0, 150 * RUNS, bad)}
        field.verify(place, missing=expected)
        letters = [letter["text"] for letter in field.dead_letters()]
        assert set(letters) == expected
        assert not field.exactly_once or len(letters) == len(expected)


def test_a_run_goes_on_by_itself_when_the_broker_comes_back(fields: tuple[Field, Field], broker: Broker) -> None:
    for run in range(BROKER_RUNS):
        for number in (signal.SIGTERM, signal.SIGKILL):
            workers = start_each(fields, 3000, PATIENT, environment=SLOW)
            wait_for_commits(fields, 20)
            broker.end(number)
            time.sleep(chance(f"broker {run}").uniform(0, 2))
            for field, worker in zip(fields, workers, strict=True):
                assert worker.poll() is None, field.log(worker)
            broker.start()
            wait_for_commits(fields, 30)
            for field, worker in zip(fields, workers, strict=True):
                field.finish(worker)
    for field in fields:
        field.verify(SEED)


@PROGRAM
def test_workers_may_come_and_go_under_load(fields: tuple[Field, Field]) -> None:
    lots = chance("come and go")
    until, workers = time.monotonic() + LOAD_S, [[field.start(environment=SLOW)] for field in fields]
    furthest = [dict.fromkeys(range(4), -1) for _ in fields]
    while time.monotonic() < until:
        leaves = len(workers[0]) > 1 and lots.random() < 0.5
        index = lots.randrange(len(workers[0]))
        for field, mine in zip(fields, workers, strict=True):
            field.fill(200)
            if leaves:
                field.drain(mine.pop(index))
            else:
                mine.append(field.start(environment=SLOW))
        again = time.monotonic() + 2
        while time.monotonic() < again:
            for at, field in enumerate(fields):
                now, before = field.committed(), furthest[at]
                assert all(now[one] >= before[one] for one in now), f"seed {SEED}: a commit went back: {before} {now}"
                furthest[at] = now
    for field, mine in zip(fields, workers, strict=True):
        field.finish(*mine)
        print(f"seed {SEED}: {len(field.processes)} workers, {field.verify(SEED)} repeated")  # noqa: T201


def test_a_worker_that_slept_too_long_commits_nothing_of_what_others_have_now(fields: tuple[Field, Field]) -> None:
    # By the timeout of its transaction it could still write.
    long = "run.transaction_timeout_ms=60000"
    for _ in range(RUNS):
        sleepers = start_each(fields, 1000, long, environment=SLOW)
        wait_for_commits(fields, 20)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGSTOP)
        others = start_each(fields, 0, long)
        done: list[dict[int, int]] = []
        for field in fields:
            wait_for(field.is_done, "the other worker's part")
            done.append(field.committed())
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGCONT)
        for field, sleeper, other, before in zip(fields, sleepers, others, done, strict=True):
            field.fill(100)
            # Both are in the group again: what is written now comes through, and no offset goes back.
            wait_for(field.is_done, "the part of both")
            assert all(offset >= before[partition] for partition, offset in field.committed().items())
            field.finish(sleeper, other)
    for field in fields:
        field.verify(SEED)


def test_a_step_that_is_stuck_costs_no_membership(fields: tuple[Field, Field]) -> None:
    workers: list[subprocess.Popen[bytes]] = []
    for field in fields:
        field.fill(400, lambda partition, number: "stuck" if (partition, number) == (1, 50) else "good")
        # Who doesn't poll for so long is thrown out of the group, and what it had is read again by others. It is longer than a
        # transaction may take, too.
        stuck = {"FAULTS_STUCK": str(field.folder / f"{field.name}-stuck"), "FAULTS_STUCK_S": "12"}
        workers.append(field.start(properties={"max.poll.interval.ms": 5000}, environment=stuck))
    for field, worker in zip(fields, workers, strict=True):
        wait_for((field.folder / f"{field.name}-stuck").exists, "the step that gets stuck")
        field.finish(worker)
        field.verify(SEED, most_repeated=0)


def test_a_worker_that_comes_again_under_its_name_goes_on_at_once(fields: tuple[Field, Field]) -> None:
    _, field = fields
    field.fill(1000)
    # By the timeouts alone it would come to something a minute later.
    named = ("run.instance_id=one", "run.transaction_timeout_ms=60000")
    worker = field.start(*named, session_ms=60000, environment=SLOW)
    field.wait_for_commits(20)
    worker.kill()
    worker.wait()
    field.fill(100)
    again = field.start(*named, session_ms=60000)
    assert wait_for(field.is_done, "all of it") < 30
    field.drain(again)
    field.verify(SEED)


def test_a_worker_whose_name_another_one_takes_ends_with_an_error(fields: tuple[Field, Field]) -> None:
    workers: list[subprocess.Popen[bytes]] = []
    for field in fields:
        field.fill(1000)
        workers.append(field.start("run.instance_id=one", environment=SLOW))
    wait_for_commits(fields)
    others = [field.start("run.instance_id=one") for field in fields]
    for field, worker, other in zip(fields, workers, others, strict=True):
        assert worker.wait(60) == 4
        assert "`run.instance_id`" in field.log(worker)
        field.fill(100)
        field.finish(other)
        field.verify(SEED)


@pytest.mark.parametrize("_run", BAD_RUNS)
def test_one_bad_message_in_a_thousand_becomes_one_dead_letter(fields: tuple[Field, Field], _run: int) -> None:
    expected = {
        f"{partition}-{number}" for partition in range(4) for number in range(2000) if (number + partition) % 1000 == 7
    }
    workers = start_each(
        fields, 2000, tag=lambda partition, number: "bad" if (number + partition) % 1000 == 7 else "good"
    )
    for field, worker in zip(fields, workers, strict=True):
        field.finish(worker)
        field.verify(SEED, most_repeated=0, missing=expected)
        letters = field.dead_letters()
        assert sorted(letter["text"] for letter in letters) == sorted(expected)
        for letter in letters:
            assert letter["letter"]["origin"]["offset"] == int(letter["text"].split("-")[1])
            assert letter["letter"]["step"] == "taste"
            assert letter["letter"]["key"] == letter["key"] == f"key-{letter['text'].split('-')[0]}"


@pytest.mark.parametrize("_run", BAD_RUNS)
def test_nothing_but_bad_messages_stop_at_the_limit_and_are_not_lost(fields: tuple[Field, Field], _run: int) -> None:
    for field in fields:
        field.fill(1000, lambda _partition, _number: "bad")
        worker = field.start("run.dead_letters.max_in_a_row=100")
        assert worker.wait(60) == 5, field.log(worker)
        letters = {letter["text"] for letter in field.dead_letters()}
        for partition, offset in field.committed().items():
            # What is committed is a dead letter; what isn't is still there to be read.
            assert {f"{partition}-{number}" for number in range(max(offset, 0))} <= letters
        assert 100 <= len(letters) < 1000


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
