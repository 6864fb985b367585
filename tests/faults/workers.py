"""Processes that run the pipeline on a broker, as an operator would start them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from judging import TIMEOUT_S, Cluster, all_good, judge, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from judging import Tag, Verdict

PIPELINE = Path(__file__).parent / "faults_pipeline.py"
SINKS = ("plain", "rust", "lists")
SETTINGS = (
    "run.batch.messages=50", "run.checkpoint_ms=100", "run.lanes=2", "steps.taste.on_error=dead_letter",
    "steps.parse.on_error=dead_letter", "run.dead_letters.max_percent=100", "run.dead_letters.max_in_a_row=1000000",
)  # fmt: skip
EXACTLY_ONCE = ("run.delivery=exactly_once", "run.transaction_timeout_ms=4000")
NUMBERS = itertools.count()


def wait_for(what: Callable[[], object], doing: str, timeout_s: float = TIMEOUT_S) -> float:
    """Wait until something is true; how long that took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < timeout_s, f"{doing} took more than {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic() - began


def wait_for_commits(fields: Sequence[Field], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until each has committed more than now, or all."""
    before = [field.committed() for field in fields]

    def went_on(field: Field, then: dict[int, int]) -> bool:
        return field.committed() != then or field.is_done()

    wait_for(
        lambda: all(went_on(field, then) for field, then in zip(fields, before, strict=True)),
        f"the next commits after {before} of {[field.count for field in fields]}",
        timeout_s,
    )


def start_each(
    fields: Sequence[Field],
    count: int = 0,
    *settings: str,
    tag: Tag = all_good,
    environment: Mapping[str, str] | None = None,
) -> list[subprocess.Popen[bytes]]:
    """Add messages to each, if any, and start a worker for each."""
    for field in fields:
        field.fill(count, tag)
    return [field.start(*settings, environment=environment) for field in fields]


class Left(NamedTuple):
    """How workers that died left things.

    Attributes:
        committed: up to where it had committed each partition of the source.
        ends: where the partitions of its outputs ended.
    """

    committed: dict[int, int]
    ends: dict[tuple[str, int], int]


class Field:
    """Topics of one test, and the workers that it lets loose on them."""

    def __init__(
        self, cluster: Cluster, folder: Path, program: Path | None = None, *, exactly_once: bool = False
    ) -> None:
        self.cluster = cluster
        # A program with the pipeline in it, in place of `oxflow run`.
        self.program = program
        self.exactly_once = exactly_once
        self.folder = folder
        # Where workers find the broker.
        self.address = cluster.address
        # Where their sinks find it, if that is elsewhere.
        self.sinks_address: str | None = None
        self.name = f"t{os.getpid()}-{next(NUMBERS)}"
        self.count = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        cluster.create(*(self.topic(stream) for stream in ("words", "dead-letters", *SINKS)))

    def topic(self, stream: str) -> str:
        return f"{self.name}-{stream}"

    def fill(self, count: int, tag: Tag = all_good) -> None:
        """Add `count` messages to each partition."""
        self.cluster.fill(self.topic("words"), count, tag, start=self.count)
        self.count += count

    def config(self, session_ms: int, properties: Mapping[str, Any]) -> Path:
        file = self.folder / f"{self.name}-{session_ms}.yaml"
        at = {"bootstrap_servers": self.address}
        source = {**at, "topic": self.topic("words"), "group": self.name, "session_timeout_ms": session_ms}
        sinks_at = {"bootstrap_servers": self.sinks_address or self.address}
        streams: dict[str, Any] = {
            stream: {"kafka": {**sinks_at, "topic": self.topic(stream)}} for stream in ("dead-letters", *SINKS)
        }
        streams["words"] = {"kafka": {**source, "properties": dict(properties)}}
        file.write_text(json.dumps({"streams": streams}), encoding="utf-8")
        return file

    def start(
        self,
        *settings: str,
        workers: int = 1,
        session_ms: int = 1500,
        properties: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a worker; `environment` has the pipeline's own settings."""
        config = self.config(session_ms, properties or {})
        command = [sys.executable, "-m", "oxflow", "run", str(PIPELINE), f"--workers={workers}"]
        if self.program is not None:
            assert workers == 1, "a program is one worker"
            command = [str(self.program), "run"]
        command += ["--quiet", "--config", str(config)]
        command += [
            f"--set={setting}" for setting in (*SETTINGS, *(EXACTLY_ONCE if self.exactly_once else ()), *settings)
        ]
        log = (self.folder / f"{self.name}-{len(self.processes)}.log").open("wb")
        with log:
            # Of a group of its own, as a shell starts it: a terminal's signals reach all of that.
            environment = os.environ | dict(environment or {})
            process = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def log(self, process: subprocess.Popen[bytes]) -> str:
        path = self.folder / f"{self.name}-{self.processes.index(process)}.log"
        return path.read_text(encoding="utf-8")

    def committed(self) -> dict[int, int]:
        return self.cluster.committed(self.name, self.topic("words"))

    def is_done(self) -> bool:
        """All that was written is committed."""
        return all(offset >= self.count for offset in self.committed().values())

    def wait_for_commits(self, timeout_s: float = TIMEOUT_S) -> float:
        """Wait until more is committed than now."""
        before = self.committed()
        return wait_for(lambda: self.committed() != before, "the next commit", timeout_s)

    def finish(self, *processes: subprocess.Popen[bytes]) -> None:
        """Let the workers come to the end of what there is, and stop them as an operator does."""
        for process in processes:
            assert process.poll() is None, self.log(process)
        wait_for(self.is_done, f"{self.name}: all of it (committed: {self.committed()})")
        for process in processes:
            self.drain(process)

    def drain(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, self.log(process)

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def words(self, stream: str) -> Iterator[dict[str, Any]]:
        for _, value in self.cluster.read(self.topic(stream)):
            yield from _words(value)

    def left(self) -> Left:
        """How the workers so far left things."""
        return Left(self.committed(), self.cluster.ends(*(self.topic(stream) for stream in SINKS)))

    def come_again(self, lives: Sequence[Left]) -> list[str]:
        """What was written again although it had been committed before that: `lives` are the ends of those before."""
        found: list[str] = []
        for topic in map(self.topic, SINKS):
            for one, value in self.cluster.read(topic):
                place = (topic, one.partition())
                before = next((left for left in reversed(lives) if left.ends[place] <= one.offset()), None)
                numbers = ((word["text"], *map(int, word["text"].split("-"))) for word in _words(value))
                found += [text for text, at, number in numbers if before and number < before.committed[at]]
        return found

    def expected(self) -> set[str]:
        partitions = range(len(self.committed()))
        return {
            json.loads(message(partition, number))["text"] for partition in partitions for number in range(self.count)
        }

    def verdicts(self) -> dict[str, Verdict]:
        return {stream: judge(self.expected(), self.words(stream)) for stream in SINKS}

    def dead_letters(self) -> list[dict[str, Any]]:
        """What lies in the topic of the dead letters, with the message that each is about."""
        letters: list[dict[str, Any]] = []
        for one, value in self.cluster.read(self.topic("dead-letters")):
            letter = json.loads(value)
            key = (one.key() or b"").decode()
            letters.append({"text": json.loads(letter["payload"])["text"], "letter": letter, "key": key})
        return letters

    def verify(
        self, seed: object, most_repeated: int | None = None, missing: frozenset[str] | set[str] = frozenset()
    ) -> int:
        """Nothing is lost, corrupt or out of order, and no more repeated than may be; how much was.

        `missing` are those that became dead letters. Where everything is to be there once, nothing may be repeated, nor a
        transaction be open for longer than it may.
        """
        repeated = 0
        if self.exactly_once:
            most_repeated = 0
            topics = [self.topic(stream) for stream in (*SINKS, "dead-letters")]
            wait_for(lambda: not self.cluster.hanging(*topics), f"seed {seed}: the end of open transactions", 20)
        for stream, verdict in self.verdicts().items():
            assert missing <= verdict.lost, f"seed {seed}: {self.name}-{stream} has bad messages"
            verdict.lost -= missing
            if stream == "lists":
                # A list has the key of its first message, and the others come from other partitions, too.
                verdict.reordered = []
            found = (sorted(verdict.lost)[:5], verdict.corrupt[:5], verdict.reordered[:5])
            assert found == ([], [], []), f"seed {seed}: {self.name}-{stream}: {len(verdict.lost)} lost"
            repeated += verdict.repeated
        if most_repeated is not None:
            assert repeated <= most_repeated, f"seed {seed}: {self.name}: {repeated} repeated"
        return repeated


def _words(value: bytes) -> list[dict[str, Any]]:
    """What a message has: a word, or a list of them."""
    content: Any = json.loads(value)
    return cast("list[dict[str, Any]]", content if isinstance(content, list) else [content])
