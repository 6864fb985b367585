"""Measures oxflow.telemetry against its peers, prints each row with its bar, and keeps the raw figures.

    contest.py [--turns N] [--calls N] [--seconds N] [--spans N] [--results FOLDER]

Run by a Python with oxflow, the SDK, pytracingx and logfire. A real Collector takes what is exported, by gRPC, from all of them.
Each contestant is a process of its own; in each turn all of them come one after the other, and ratios are those of turns. Figures are
CPU time of the calling thread.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, cast

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests/faults"))

import turns
from receiver import Receiver
from telemetry_contestants import CONTESTANTS
from turns import Row, Spread

HERE = Path(__file__).parent
TURNS, CALLS, SECONDS = 15, 2000, 60
RATE = 50_000
SPANS = 10_000_000
# What a program imports before its first record, all with an exporter.
IMPORTS = {
    "bare": "",
    "oxflow": "import oxflow.telemetry",
    "sdk": "import opentelemetry.sdk.trace.export, opentelemetry.sdk.metrics.export, opentelemetry.sdk._logs.export\n"
    "import opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
}
SPENT = "\nimport time; print(time.process_time_ns())"


class Contestant:
    """A process that measures what it is told to."""

    def __init__(self, name: str, endpoint: str) -> None:
        command = [sys.executable, str(HERE / "telemetry_contestants.py"), name, endpoint]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._to, self._from = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        self.cases = self._from.readline().split()

    def ask(self, case: str, calls: int) -> float:
        """A figure."""
        self._to.write(f"{case} {calls}\n")
        self._to.flush()
        return float(self._from.readline())

    def end(self) -> None:
        """Wait for its end."""
        self._to.close()
        self._process.wait(60)


def called(endpoint: str, number: int, calls: int) -> dict[str, list[float]]:
    """Nanoseconds of a call by contestant and case, of each turn."""
    contestants = {name: Contestant(name, endpoint) for name in CONTESTANTS}
    cases = [(name, case) for name, contestant in contestants.items() for case in contestant.cases]
    for name, case in cases:
        contestants[name].ask(case, calls)
    costs: dict[str, list[float]] = {f"{name}: {case}": [] for name, case in cases}
    for turn in range(number):
        for name, case in cases if turn % 2 == 0 else reversed(cases):
            costs[f"{name}: {case}"].append(contestants[name].ask(case, calls))
    for contestant in contestants.values():
        contestant.end()
    return costs


def imported(number: int) -> dict[str, list[float]]:
    """Milliseconds of CPU time that a process takes to its end."""
    costs: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(number):
        for name, program in IMPORTS.items():
            done = subprocess.run([sys.executable, "-c", program + SPENT], capture_output=True, text=True, check=True)
            costs[name].append(int(done.stdout) / 1e6)
    return costs


def sustained(receiver: Receiver, seconds: int) -> tuple[int, int, float]:
    """Spans that were made at `RATE` and those that the Collector took, and by how much memory grew amid it, in MB."""
    before = receiver.accepted()
    command = [sys.executable, str(HERE / "sustained.py"), receiver.endpoint, str(RATE), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    made, grown = done.stdout.split()
    return int(made), receiver.accepted() - before, float(grown)


def remembered(endpoint: str, spans: int) -> tuple[float, float]:
    """Memory of a process after `init`, and by how much it grows over so many spans, in MB."""
    command = [sys.executable, str(HERE / "memory.py"), endpoint, str(spans)]
    begun, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(begun), float(grown)


def rows(
    costs: dict[str, list[float]],
    imports: dict[str, list[float]],
    steady: tuple[int, int, float],
    memory: tuple[float, float],
) -> list[Row]:
    """The table."""
    table = [Row(name, Spread.of(values), "ns a call") for name, values in costs.items()]

    def ratio(slow: str, quick: str) -> Spread:
        return turns.ratios(costs[slow], costs[quick])

    def bounded(name: str, case: str, bar: float) -> Row:
        return Row(
            f"{name}: {case}, 3 attributes" if case == "span" else f"{name}: {case}",
            Spread.of(costs[f"{name}: {case}"]),
            "ns",
            bar,
            at_most=True,
        )

    beyond = {
        name: [mine - bare for mine, bare in zip(imports[name], imports["bare"], strict=True)] for name in imports
    }
    made, accepted, grown = steady
    lost = float(made - accepted)
    begun, over_all = memory
    return [
        *table,
        Row("import oxflow.telemetry, over bare Python", Spread.of(beyond["oxflow"]), "ms", 10, at_most=True),
        Row(
            "import: SDK and exporter / oxflow, both over bare Python",
            turns.ratios(beyond["sdk"], beyond["oxflow"]),
            "x",
            20,
        ),
        bounded("oxflow", "span", 1000),
        Row("span: pytracingx / oxflow", ratio("pytracingx: span", "oxflow: span"), "x", 3),
        Row("span: SDK / oxflow", ratio("sdk: span", "oxflow: span"), "x", 15),
        Row("span: logfire / oxflow", ratio("logfire: span", "oxflow: span"), "x"),
        Row("span by the API: SDK / oxflow", ratio("sdk: span", "oxflow by the API: span"), "x", 10),
        bounded("oxflow, sampled out", "span", 500),
        Row(
            "sampled out: pytracingx / oxflow",
            ratio("pytracingx, sampled out: span", "oxflow, sampled out: span"),
            "x",
            4,
        ),
        bounded("oxflow", "counter", 200),
        Row("log: handler / formatting alone", ratio("oxflow: log", "oxflow: format"), "x", 1.5, at_most=True),
        Row("log: SDK / formatting alone", ratio("sdk: log", "oxflow: format"), "x"),
        Row("log: pytracingx / formatting alone", ratio("pytracingx: log", "oxflow: format"), "x"),
        Row(f"spans lost of {made} at {RATE} a second", Spread(lost, lost, lost), "spans", 0, at_most=True),
        Row("memory that it grew by meanwhile", Spread(grown, grown, grown), "MB", 2, at_most=True),
        Row("memory after init with three signals", Spread(begun, begun, begun), "MB", 20, at_most=True),
        Row("memory that it grew by over all spans", Spread(over_all, over_all, over_all), "MB", 2, at_most=True),
    ]


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--spans", type=int, default=SPANS)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Receiver(Path(folder)) as receiver:
        costs = called(receiver.endpoint, given.turns, given.calls)
        steady = sustained(receiver, given.seconds)
        memory = remembered(receiver.endpoint, given.spans)
    imports = imported(given.turns)
    table = rows(costs, imports, steady, memory)
    print(turns.render(table))
    if given.results is not None:
        turns.keep(
            given.results,
            "telemetry",
            table,
            {"ns": costs, "import_ms": imports, "sustained": steady, "memory": memory},
        )


if __name__ == "__main__":
    main()
