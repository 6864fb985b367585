"""Measures oxflow against plain loops and bytewax, prints each row of the table with its bar, and keeps the raw figures.

    compare.py --oxflow PYTHON --peers PYTHON --loop PROGRAM --data FOLDER --results FOLDER

Each contestant is a process. Turns alternate, so that a slow minute of the machine meets all of them, and medians count.
Rates are messages by second of CPU time, user and system, of all threads; the start of each process, measured with one
message in the same turns, is taken off. All contestants must write the same values.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import contestants as the
import events
import measure
import table
from contestants import Contestant, Programs
from measure import Cost
from table import Figures

Key: TypeAlias = "tuple[str, str, str]"

# Lines so that each contestant has work for a few tenths of a second.
SIZES = {"200 B": (200_000, False), "1 KB": (60_000, True)}
TURNS = 7
LONG_TURNS = 5
# How much longer the inputs of the rows about memory, lanes and checkpoints are.
LONGER = 4


class Bench:
    """What is measured, and where."""

    def __init__(self, programs: Programs, data: Path, scratch: Path) -> None:
        self._programs = programs
        self._data = data
        self._scratch = scratch
        self.costs: dict[Key, list[Cost]] = {}

    def source(self, name: str, size: str, times: float) -> Path:
        """An input, `times` as long as usual."""
        lines, large = SIZES[size]
        path = self._data / f"{name}-{'1k' if large else '200'}-{int(lines * times) or 1}.jsonl"
        events.write(path, int(lines * times) or 1, large=large)
        return path

    def measure(self, key: Key, contestant: Contestant, source: Path, *, keep: bool) -> Path:
        """Run a contestant once; gives where its output is, if it has one."""
        sink = self._scratch / contestant.name.replace(" ", "-")
        sink.unlink(missing_ok=True)
        cost = measure.cost(contestant.command(self._programs, source, sink if keep else None))
        self.costs.setdefault(key, []).append(cost)
        return sink

    def turn(self, size: str) -> None:
        """Each worker once with each sink, and once for its start."""
        for sink in ("file", "null"):
            for contestant in (*the.WORKERS, the.NOTHING, the.COPY):
                self.measure(
                    (size, sink, contestant.name), contestant, self.source("events", size, 1), keep=sink == "file"
                )
        for contestant in (*the.WORKERS, the.NOTHING, the.COPY):
            self.measure((size, "start", contestant.name), contestant, self.source("one", size, 0), keep=True)

    def long_turn(self, size: str) -> None:
        """The rows about checkpoints, lanes and memory."""
        source = self.source("events", size, LONGER)
        halves = [self.source(f"half{number}", size, LONGER / 2) for number in (1, 2)]
        pattern = halves[0].with_name(halves[0].name.replace("half1", "half[12]"))
        for contestant in (the.RUST, the.AT_LEAST_ONCE, the.PYTHON):
            self.measure((size, "long", contestant.name), contestant, source, keep=True)
        for contestant in (the.RUST, the.TWO_LANES):
            self.measure((size, "two files", contestant.name), contestant, pattern, keep=True)

    def check_outputs(self, size: str) -> None:
        """All workers must write the same values."""
        expected = self._scratch / "expected"
        self.measure((size, "check", "-"), the.RUST_LOOP, self.source("events", size, 1), keep=True).rename(expected)
        for contestant in the.WORKERS:
            written = self.measure((size, "check", "-"), contestant, self.source("events", size, 1), keep=True)
            if not measure.same(expected, written):
                sys.exit(f"`{contestant.name}` writes other values than the plain Rust loop")

    def figures(self, size: str) -> Figures:
        """The medians, by message."""
        lines, _ = SIZES[size]
        median = {key: measure.median(costs) for key, costs in self.costs.items()}
        return Figures(size, lines, median, LONGER)


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("oxflow", "peers", "loop"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("data", "results"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--turns", type=int, default=TURNS)
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    # Beside the inputs, since a file system in memory would hide what `fsync` costs.
    with tempfile.TemporaryDirectory(dir=given.data) as scratch:
        bench = Bench(Programs(given.oxflow, given.peers, given.loop), given.data, Path(scratch))
        for size in SIZES:
            bench.check_outputs(size)
        for turn in range(given.turns):
            print(f"turn {turn + 1} of {given.turns}", file=sys.stderr)
            for size in SIZES:
                bench.turn(size)
                if turn < LONG_TURNS:
                    bench.long_turn(size)
    rows = [row for size in SIZES for row in table.rows(bench.figures(size))]
    print(table.render(rows))
    _keep(given.results, bench, rows)


def _keep(folder: Path, bench: Bench, rows: list[table.Row]) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    raw: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "rows": [row._asdict() | {"met": row.met} for row in rows],
        "costs": [{"run": key, "costs": [cost._asdict() for cost in costs]} for key, costs in bench.costs.items()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now.date()}.json"
    path.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    print(f"raw figures in {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
