"""Measures oxflow against plain loops and bytewax, prints each row of the table with its bar, and keeps the raw figures.

    compare.py --oxflow PYTHON --peers PYTHON --loop PROGRAM --data FOLDER --results FOLDER [--turns N] [--only PATTERN]

Each contestant is a process. The two of a row run one after the other in each turn, in turns the one and the other first, and
each turn gives a ratio of its own (`turns.py`). What counts is the CPU time, user and system, of all threads, and for lanes the
clock; the start of each process, the median of what one message takes in all turns, is taken off. All contestants must write the
same values.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import TypeAlias

import contestants as the
import events
import measure
import table
import turns
from contestants import Contestant, Programs
from measure import Cost
from table import Comparison, Run
from turns import Row, Spread

# Lines so that each contestant has work for a few tenths of a second.
SIZES = {"200 B": (200_000, False), "1 KB": (60_000, True)}
TURNS = 7

Key: TypeAlias = "tuple[str, Comparison]"


class Bench:
    """What is measured, and where."""

    def __init__(self, programs: Programs, data: Path, scratch: Path) -> None:
        self._programs = programs
        self._data = data
        self._scratch = scratch
        self._starts: dict[tuple[str, Contestant], list[Cost]] = {}
        # The costs of each turn, in the order of the runs.
        self.turns: dict[Key, list[list[Cost]]] = {}

    def source(self, name: str, size: str, times: float) -> Path:
        """An input, `times` as long as usual."""
        lines, large = SIZES[size]
        path = self._data / f"{name}-{'1k' if large else '200'}-{int(lines * times) or 1}.jsonl"
        events.write(path, int(lines * times) or 1, large=large)
        return path

    def turn(self, number: int, size: str, comparisons: list[Comparison]) -> None:
        """The runs of each row one after the other, and each contestant once for its start."""
        for comparison in comparisons:
            runs = comparison.runs if number % 2 == 0 else comparison.runs[::-1]
            costs = {run: self._run(size, run) for run in runs}
            self.turns.setdefault((size, comparison), []).append([costs[run] for run in comparison.runs])
        one = self.source("one", size, 0)
        for contestant in dict.fromkeys(run.contestant for comparison in comparisons for run in comparison.runs):
            self._starts.setdefault((size, contestant), []).append(self._cost(contestant, one, to_file=True))

    def _run(self, size: str, run: Run) -> Cost:
        if run.source == "half":
            halves = [self.source(f"half{number}", size, run.times / 2) for number in (1, 2)]
            source = halves[0].with_name(halves[0].name.replace("half1", "half[12]"))
        else:
            source = self.source(run.source, size, run.times)
        return self._cost(run.contestant, source, to_file=run.to_file)

    def _cost(self, contestant: Contestant, source: Path, *, to_file: bool) -> Cost:
        sink = self._scratch / contestant.name.replace(" ", "-")
        sink.unlink(missing_ok=True)
        return measure.cost(contestant.command(self._programs, source, sink if to_file else None))

    def check_outputs(self, size: str) -> None:
        """All workers must write the same values."""
        source, expected = self.source("events", size, 1), self._scratch / "expected"
        measure.cost(the.RUST_LOOP.command(self._programs, source, expected))
        written = self._scratch / "written"
        for contestant in the.WORKERS:
            written.unlink(missing_ok=True)
            measure.cost(contestant.command(self._programs, source, written))
            if not measure.same(expected, written):
                sys.exit(f"`{contestant.name}` writes other values than the plain Rust loop")

    def rows(self, size: str) -> list[Row]:
        """What each contestant takes for a message, and the rows of the table."""
        rows: list[Row] = []
        micros: dict[str, list[float]] = {}
        for (of, comparison), costs in self.turns.items():
            if of != size:
                continue
            messages = SIZES[size][0] * comparison.runs[0].times
            net = [self._net(size, comparison.runs, turn) for turn in costs]
            values = Spread.of([comparison.value(turn, messages) for turn in net])
            rows.append(Row(f"{size}  {comparison.what}", values, comparison.unit, comparison.bar, comparison.at_most))
            for place, run in enumerate(comparison.runs):
                if run.times == 1:
                    name = f"{size}  file to {'file' if run.to_file else 'null'}: {run.contestant.name}"
                    micros.setdefault(name, []).extend(turn[place].cpu_s / messages * 1e6 for turn in net)
        return [Row(name, Spread.of(values), "us a message") for name, values in micros.items()] + rows

    def _net(self, size: str, runs: tuple[Run, ...], costs: list[Cost]) -> list[Cost]:
        """The same without what the start takes. The memory is that of the whole process."""
        starts = [measure.median(self._starts[size, run.contestant]) for run in runs]
        return [
            cost._replace(cpu_s=cost.cpu_s - start.cpu_s, wall_s=cost.wall_s - start.wall_s)
            for cost, start in zip(costs, starts, strict=True)
        ]

    def raw(self) -> dict[str, object]:
        """All costs, for the file of results."""
        rows = [
            {"size": size, "what": row.what, "runs": [run.contestant.name for run in row.runs], "turns": costs}
            for (size, row), costs in self.turns.items()
        ]
        starts = [{"size": size, "of": of.name, "costs": costs} for (size, of), costs in self._starts.items()]
        return {"cost": Cost._fields, "costs": rows, "starts": starts}


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("oxflow", "peers", "loop"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("data", "results"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument(
        "--only", type=re.compile, default=re.compile(""), help="rows such as `200 B  file to null: .*`"
    )
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    chosen = {size: [row for row in table.comparisons() if given.only.search(f"{size}  {row.what}")] for size in SIZES}
    # Beside the inputs, since a file system in memory would hide what `fsync` costs.
    with tempfile.TemporaryDirectory(dir=given.data) as scratch:
        bench = Bench(Programs(given.oxflow, given.peers, given.loop), given.data, Path(scratch))
        for size in filter(chosen.get, SIZES):
            bench.check_outputs(size)
        for turn in range(given.turns):
            print(f"turn {turn + 1} of {given.turns}", file=sys.stderr)
            for size, comparisons in chosen.items():
                bench.turn(turn, size, comparisons)
    rows = [row for size in SIZES for row in bench.rows(size)]
    print(turns.render(rows))
    turns.keep(given.results, "streams", rows, bench.raw())


if __name__ == "__main__":
    main()
