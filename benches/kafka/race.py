"""Measures oxflow on a real Kafka against plain loops and peers, prints each row with its bar, and keeps the raw figures.

    race.py --oxflow PYTHON --peers PYTHON --quix PYTHON --sentry PYTHON --built FOLDER --results FOLDER [--turns N] [--only WORD]

Each contestant is a process that reads the same topic. Turns alternate. The figure is user and system time of the process and its
threads by message that is read, less the start, which one message in the same turn measures. A row compares two
contestants turn by turn; the median of these ratios counts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests/faults"))

import racers as the
from metric_messages import messages
from racers import Programs, Racer, Topics
from topics import Field

from broker import Broker

HERE = Path(__file__).parent
COUNT = 200_000
TURNS = 5


class Bar(NamedTuple):
    """A row: one contestant's time over another's, or in microseconds where there is no other.

    Attributes:
        what: as the table calls it.
        mine: what is measured.
        other: against what.
        bar: what the figure must reach.
        rate: the figure is how many times as many messages, and must be at least the bar; else it is time, and at most.
    """

    what: str
    mine: Racer
    other: Racer | None
    bar: float
    rate: bool = False


BARS = (
    Bar("Rust steps / rdkafka loop", the.RUST, the.LOOP, 1.5),
    Bar("program without Python / rdkafka loop", the.PROGRAM, the.LOOP, 1.4),
    Bar("exactly once: messages a CPU second / at least once", the.ONCE, the.RUST, 0.8, rate=True),
    Bar("one Python map / confluent-kafka loop", the.ONE_MAP, the.CONFLUENT, 1.2),
    Bar("no step, us a message", the.NOTHING, None, 3.0),
    Bar("Rust steps: messages a CPU second / bytewax", the.RUST, the.BYTEWAX, 1.5, rate=True),
    Bar("Rust steps: messages a CPU second / quixstreams", the.RUST, the.QUIX, 3.5, rate=True),
    Bar("Rust steps: messages a CPU second / sentry-streams", the.RUST, the.SENTRY, 8.0, rate=True),
)


class Race:
    """What is measured, and where."""

    def __init__(self, programs: Programs, field: Field, scratch: Path, count: int) -> None:
        self._programs = programs
        self._field = field
        self._scratch = scratch
        self._number = 0
        # Microseconds of a message, for each turn.
        self.taken: dict[str, list[float]] = {}
        self._count = count
        inputs = list(messages(count))
        self._counters = {
            count // weight: sum(_is_counter(one) for one in inputs[: count // weight]) for weight in (1, 4)
        }
        for size in self._counters:
            field.fill(f"in-{size}", inputs[:size])
        field.fill("in-1", inputs[:1])
        self._counters[1] = 1

    def run(self, racer: Racer, count: int, *, keep: bool = False) -> tuple[float, str]:
        """Run a contestant over `count` messages; what it took in seconds, and its topic."""
        self._number += 1
        sink = f"out-{self._number}"
        self._field.create(sink)
        topics = Topics(self._field.address, f"in-{count}", sink, count)
        due = count if racer.keeps_all else self._counters[count]
        log = self._scratch / f"{sink}.log"
        environment = os.environ | {"PYTHONPATH": f"{HERE}:{HERE / 'peers'}"}
        with log.open("wb") as output:
            command = racer.command(self._programs, topics, self._scratch)
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            seconds = self._cost(racer, process, topics, due)
        except SystemExit as error:
            raise SystemExit(f"{racer.name}: {error}; it said:\n{log.read_text(encoding='utf-8')[-2000:]}") from None
        if self._field.size(sink) != due and not racer.is_transactional:
            said = log.read_text(encoding="utf-8")[-2000:]
            raise SystemExit(f"{racer.name}: {self._field.size(sink)} of {due} messages; it said:\n{said}")
        if not keep:
            self._field.remove(sink)
        return seconds, sink

    def _cost(self, racer: Racer, process: subprocess.Popen[bytes], topics: Topics, due: int) -> float:
        def written() -> int:
            return self._field.size(topics.sink)

        def settled() -> int:
            return self._field.committed(f"g-{topics.sink}", topics.source)

        try:
            if not racer.ends:
                there, count = (settled, topics.messages) if racer.is_transactional else (written, due)
                self._field.wait_until(there, count, lambda: process.poll() is not None)
                process.send_signal(signal.SIGTERM)
        except BaseException:
            process.kill()
            raise
        # Those that don't mind a signal are ended; what they took is told all the same.
        threshold = time.monotonic() + (120 if racer.ends else 15)
        while True:
            done, _, used = os.wait4(process.pid, os.WNOHANG)
            if done:
                process.returncode = 0
                return used.ru_utime + used.ru_stime
            if time.monotonic() > threshold:
                process.kill()
            time.sleep(0.02)

    def turn(self, racers: tuple[Racer, ...]) -> None:
        """Each contestant once, and once for its start."""
        for racer in racers:
            count = self._count // racer.weight
            start, _ = self.run(racer, 1)
            seconds, _ = self.run(racer, count)
            micros = (seconds - start) / (count - 1) * 1e6
            self.taken.setdefault(racer.name, []).append(micros)
            print(f"{racer.name:<32} {micros:7.2f} us a message, start {start:5.2f} s", file=sys.stderr)

    def check(self, mine: Racer, other: Racer) -> None:
        """Both write the same values."""
        count = self._count // 4
        found: list[list[str]] = []
        for racer in (mine, other):
            _, sink = self.run(racer, count, keep=True)
            values = [json.dumps(json.loads(value), sort_keys=True) for value in self._field.values(sink)]
            found.append(sorted(values))
            self._field.remove(sink)
        if found[0] != found[1]:
            raise SystemExit(f"`{mine.name}` writes other values than `{other.name}`")

    def figure(self, bar: Bar) -> float | None:
        """The median of the turns; none if one of both is not here."""
        mine, other = self.taken.get(bar.mine.name), self.taken.get(bar.other.name) if bar.other else None
        if mine is None or (bar.other and other is None):
            return None
        if other is None:
            return statistics.median(mine)
        pairs = zip(mine, other, strict=True)
        return statistics.median(theirs / ours if bar.rate else ours / theirs for ours, theirs in pairs)


def _is_counter(message: bytes) -> bool:
    return bool(json.loads(message)["type"] == "c")


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("oxflow", "peers", "quix", "sentry"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--built", required=True, type=Path)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--count", type=int, default=COUNT, help="messages of a turn")
    parser.add_argument("--only", default="", help="contestants whose name has one of these words, divided by commas")
    given = parser.parse_args()
    programs = Programs(given.oxflow, given.peers, given.quix, given.sentry, given.built)
    absent = [racer for racer, where in ((the.QUIX, given.quix), (the.SENTRY, given.sentry)) if not where]
    words = given.only.split(",")
    racers = tuple(one for one in the.RACERS if one not in absent and any(word in one.name for word in words))
    with tempfile.TemporaryDirectory() as scratch:
        broker = Broker(Path(scratch))
        broker.start()
        try:
            race = Race(programs, Field(broker.address), Path(scratch), given.count)
            if not given.only:
                for mine, other in (
                    (the.RUST, the.LOOP),
                    (the.PROGRAM, the.LOOP),
                    (the.ONE_MAP, the.CONFLUENT),
                    (the.BYTEWAX, the.LOOP),
                ):
                    race.check(mine, other)
            for turn in range(given.turns):
                print(f"turn {turn + 1} of {given.turns}", file=sys.stderr)
                race.turn(racers)
        finally:
            broker.end(signal.SIGTERM)
    for racer in racers:
        print(f"{racer.name:<50} {statistics.median(race.taken[racer.name]):8.2f} us a message")
    rows = [(bar, race.figure(bar)) for bar in BARS]
    for bar, figure in rows:
        print(_row(bar, figure))
    if given.results:
        _keep(given.results, race, rows)


def _row(bar: Bar, figure: float | None) -> str:
    if figure is None:
        return f"{bar.what:<50} not measured"
    met = figure >= bar.bar if bar.rate else figure <= bar.bar
    sign = ">=" if bar.rate else "<="
    return f"{bar.what:<50} {figure:8.2f}   {sign} {bar.bar:<5g} {'met' if met else 'MISSED'}"


def _keep(folder: Path, race: Race, rows: list[tuple[Bar, float | None]]) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    raw: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "rows": [{"what": bar.what, "figure": figure, "bar": bar.bar} for bar, figure in rows],
        "us_a_message": race.taken,
    }
    path = folder / f"{now.date()}-kafka.json"
    path.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    print(f"raw figures in {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
