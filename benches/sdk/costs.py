"""Measures what a message costs on its way through the tables of a module, against Python with orjson doing the same step.

    costs.py PROGRAM [--rounds N]

`PROGRAM` is `sdk-table`, built for release. Figures are nanoseconds of CPU time of the thread for a message, 100 at once, the median
of rounds in which both take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from readings import reading

MESSAGES = 2000
BATCH = 100
ROUNDS = 7
# What must be reached, of the time of Python with orjson.
BARS = {"JSON, owned": 1.0, "JSON, borrowed": 0.7, "msgpack, owned": 0.65, "msgpack, borrowed": 0.65}
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


def in_rust(program: str, messages: Path) -> dict[str, float]:
    """Nanoseconds of a message in Rust, by way."""
    printed = subprocess.run(
        [program, str(messages), str(BATCH), "9"], check=True, capture_output=True, text=True
    ).stdout
    return {name: float(cost) for name, cost in (line.split("\t") for line in printed.splitlines())}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    lines = [json.dumps(reading(number), separators=(",", ":")).encode() for number in range(MESSAGES)]
    costs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        messages = Path(folder) / "messages.jsonl"
        messages.write_bytes(b"\n".join(lines))
        for _ in range(given.rounds):
            costs.setdefault("Python with orjson", []).append(in_python(lines))
            for name, cost in in_rust(given.program, messages).items():
                costs.setdefault(name, []).append(cost)
    median = {name: statistics.median(figures) for name, figures in costs.items()}
    for name, cost in median.items():
        print(f"{name:<26} {cost:8.0f} ns a message")
    for name, bar in BARS.items():
        ratio = median[name] / median["Python with orjson"]
        print(f"{name + ' / orjson':<26} {ratio:8.2f} x            <= {bar:<5g} {'met' if ratio <= bar else 'MISSED'}")
    second = median["JSON, borrowed, two steps"] - median["JSON, borrowed"]
    print(
        f"{'a second step':<26} {second:8.0f} ns           <= {SECOND_STEP:<5g} {'met' if second <= SECOND_STEP else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
