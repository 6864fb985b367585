"""Runs of `raw_pipeline.py` on topics of their own, as an operator would start them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from judging import QUIET, TIMEOUT_S
from workers import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from judging import Cluster

PIPELINE = Path(__file__).parent / "raw_pipeline.py"
NUMBERS = itertools.count()


class Raw:
    """Topics `words`, `plain` and `dead-letters` of one test, and the runs between them."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.name = f"r{os.getpid()}-{next(NUMBERS)}"
        self._runs: list[subprocess.Popen[bytes]] = []

    def topic(self, stream: str) -> str:
        """The topic of a stream."""
        return f"{self.name}-{stream}"

    @property
    def at(self) -> dict[str, str]:
        """How the broker is reached without more ado."""
        return {"bootstrap_servers": self.cluster.address}

    def create(self, *, most_bytes: int | None = None, partitions: int = 1) -> None:
        """Make the topics; `most_bytes` is what that of `plain` takes at most in a message."""
        self.cluster.create(self.topic("words"), self.topic("dead-letters"), partitions=partitions)
        config = {} if most_bytes is None else {"max.message.bytes": str(most_bytes)}
        self.cluster.create(self.topic("plain"), partitions=partitions, config=config)

    def write(self, topic: str, *messages: bytes | None, key: bytes | None = None, spread: int = 1) -> None:
        """Write messages, each acknowledged, in turn to the first `spread` partitions."""
        producer = Producer({"bootstrap.servers": self.cluster.address, **QUIET})
        for number, message in enumerate(messages):
            # Without a value it is a deletion, which the types don't know.
            value: Any = message
            producer.produce(topic, value, key=key, partition=number % spread)
        assert producer.flush(TIMEOUT_S) == 0

    def streams(self, at: Mapping[str, Any], **source: object) -> dict[str, Any]:
        """Where the streams are: `at` says how all of them are reached, `source` more of the one that is read."""
        words = {**at, "topic": self.topic("words"), "group": self.name, **source}
        others = {stream: {"kafka": {**at, "topic": self.topic(stream)}} for stream in ("plain", "dead-letters")}
        return {"words": {"kafka": words}, **others}

    def start(self, streams: Mapping[str, Any], *settings: str, pipeline: Path = PIPELINE) -> subprocess.Popen[bytes]:
        """Start a run."""
        number = len(self._runs)
        config = self.folder / f"{self.name}-{number}.yaml"
        config.write_text(json.dumps({"streams": streams}), encoding="utf-8")
        command = [sys.executable, "-m", "oxflow", "run", str(pipeline), "--quiet", "--config", str(config)]
        command += [f"--set={setting}" for setting in ("run.checkpoint_ms=100", *settings)]
        with self._log(number).open("wb") as log:
            run = subprocess.Popen(command, stdout=log, stderr=log)
        self._runs.append(run)
        return run

    def _log(self, number: int) -> Path:
        return self.folder / f"{self.name}-{number}.log"

    def log(self, run: subprocess.Popen[bytes]) -> str:
        """What a run said."""
        return self._log(self._runs.index(run)).read_text(encoding="utf-8")

    def read(self, stream: str) -> list[tuple[bytes | None, bytes | None, dict[str, bytes | None]]]:
        """Key, value and headers of what lies in a stream's topic."""
        found = [one for one, _ in self.cluster.read(self.topic(stream))]
        return [(_bytes(one.key()), _bytes(one.value()), dict(one.headers() or [])) for one in found]

    def wait_for(self, stream: str, count: int, run: subprocess.Popen[bytes]) -> None:
        """Wait until so many messages are in a stream's topic."""

        def there() -> bool:
            assert run.poll() is None, self.log(run)
            return len(self.read(stream)) >= count

        wait_for(there, f"{count} messages in {stream}")

    def members(self) -> int:
        """How many members the group has."""
        return self.cluster.members(self.name)

    def letters(self, action: str, *options: str) -> str:
        """What `oxflow dead-letters` prints, with the configuration of the last run."""
        config = self.folder / f"{self.name}-{len(self._runs) - 1}.yaml"
        command = [sys.executable, "-m", "oxflow", "dead-letters", action, f"--config={config}", *options]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def drain(self, run: subprocess.Popen[bytes]) -> None:
        """Stop a run as an operator does."""
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 0, self.log(run)

    def end(self) -> None:
        """Leave no process behind."""
        for run in self._runs:
            with contextlib.suppress(ProcessLookupError):
                run.kill()
            run.wait()


def _bytes(value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
