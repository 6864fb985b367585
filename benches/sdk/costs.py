"""Measures what a message costs on its way through the tables of a module, against Python with orjson doing the same step.

    costs.py PROGRAM [--turns N] [--results FOLDER]

`PROGRAM` is `sdk-table`, built for release. Figures are nanoseconds of CPU time of the thread for a message, 100 at once. In each
turn Python goes first and the ways of the program, which alternate, after it; a figure of a turn is the median of its rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))

import orjson
import turns
from readings import reading
from turns import Row, Spread

MESSAGES = 2000
BATCH = 100
ROUNDS = 101
TURNS = 11
# What must be reached, of the time of Python with orjson.
BARS = {"JSON, owned": 1.0, "JSON, borrowed": 0.7, "msgpack, owned": 0.65, "msgpack, borrowed": 0.65}
PYTHON = "Python with orjson"
# Nanoseconds that a second step may take.
SECOND_STEP = 30.0
USUAL = 100.0


def judge(line: bytes) -> bytes:
    """What the Rust functions do."""
    payload: dict[str, Any] = orjson.loads(line)
    judged: bytes = orjson.dumps({**payload, "large": payload["value"] > USUAL})
    return judged


def in_python(lines: list[bytes]) -> float:
    """Nanoseconds of a message in Python."""
    begin = time.thread_time_ns()
    for line in lines:
        judge(line)
    return (time.thread_time_ns() - begin) / len(lines)


def in_rust(program: str, messages: Path) -> dict[str, list[float]]:
    """Nanoseconds of a message in Rust by way, of each round."""
    command = [program, str(messages), str(BATCH), str(ROUNDS)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = (line.split("\t") for line in printed.splitlines())
    return {name: [float(cost) for cost in costs] for name, *costs in lines}


def rows(costs: dict[str, list[float]], second: list[float]) -> list[Row]:
    """The table."""
    table = [Row(name, Spread.of(values), "ns a message") for name, values in costs.items()]
    for name, bar in BARS.items():
        of_python = turns.ratios(costs[name], costs[PYTHON])
        table.append(Row(f"{name} / {PYTHON}", of_python, "x", bar, at_most=True))
    table.append(Row("a second step", Spread.of(second), "ns", SECOND_STEP, at_most=True))
    return table


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    lines = [json.dumps(reading(number), separators=(",", ":")).encode() for number in range(MESSAGES)]
    costs: dict[str, list[float]] = {}
    second: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        messages = Path(folder) / "messages.jsonl"
        messages.write_bytes(b"\n".join(lines))
        for _ in range(given.turns):
            costs.setdefault(PYTHON, []).append(statistics.median(in_python(lines) for _ in range(ROUNDS)))
            rounds = in_rust(given.program, messages)
            for name, figures in rounds.items():
                costs.setdefault(name, []).append(statistics.median(figures))
            # Of two steps and one in the same round.
            both = zip(rounds["JSON, borrowed, two steps"], rounds["JSON, borrowed"], strict=True)
            second.append(statistics.median(two - one for two, one in both))
    table = rows(costs, second)
    print(turns.render(table))
    if given.results is not None:
        turns.keep(given.results, "costs", table, {"ns": costs, "second": second})


if __name__ == "__main__":
    main()
