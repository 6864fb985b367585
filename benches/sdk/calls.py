"""Measures calls of Rust functions from plain Python, prints each row of the table with its bar, and keeps the raw figures.

    calls.py [--turns N] [--calls N] [--results FOLDER]

Run by a Python with oxflow, `sdk_steps`, `json_round_trip` and `msgspec`, all built for release. The message has 6 fields and a
map of 5 entries, 270 B of JSON; the functions add a field. Figures are nanoseconds of CPU time of the thread for a call. In each
turn all contestants come one after the other, and ratios are those of turns.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))

import json_round_trip
import msgspec
import sdk_steps
import turns
from readings import reading
from turns import Row, Spread

from oxflow import Message

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 15
CALLS = 4000
# Distinct messages, so that no cache of one value helps.
MESSAGES = 500
# A value above it is large.
USUAL = 100.0


@dataclasses.dataclass
class Plain:
    """The message as a dataclass."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]


class Struct(msgspec.Struct):
    """The message as a `msgspec.Struct`."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]


def contestants() -> dict[str, tuple[Callable[[Any], object], list[Any]]]:
    """What is called, and with what."""
    payloads = [reading(number) for number in range(MESSAGES)]
    dicts = [Message(payload) for payload in payloads]
    return {
        "dict, direct": (sdk_steps.judge, dicts),
        "dict, direct, borrowed": (sdk_steps.judge_lent, dicts),
        "dataclass, direct": (sdk_steps.judge, [Message(Plain(**payload)) for payload in payloads]),
        "msgspec.Struct, direct": (sdk_steps.judge, [Message(Struct(**payload)) for payload in payloads]),
        "dict, direct, filter": (sdk_steps.is_large, dicts),
        "dict, convert_via_json!": (sdk_steps.judge_written, dicts),
        "bytes": (sdk_steps.same_bytes, [Message(json.dumps(payload).encode()) for payload in payloads]),
        "dict, as sentry-streams does it": (json_round_trip.judge, payloads),
        "dict, the same work in Python": (in_python, dicts),
    }


def in_python(msg: Message[dict[str, Any]]) -> dict[str, Any]:
    """What the Rust functions do."""
    return {**msg.payload, "large": msg.payload["value"] > USUAL}


def cost(function: Callable[[Any], object], inputs: list[Any], calls: int) -> float:
    """Nanoseconds of a call."""
    start = time.thread_time_ns()
    for _ in range(calls // len(inputs)):
        for item in inputs:
            function(item)
    return (time.thread_time_ns() - start) / (calls // len(inputs) * len(inputs))


def measured(number: int, calls: int) -> dict[str, list[float]]:
    """The figures of each turn."""
    all_of_them = contestants()
    expected = sdk_steps.judge(Message(reading(7)))
    for name, (function, inputs) in all_of_them.items():
        if "filter" not in name and name != "bytes" and function(inputs[7]) != expected:
            sys.exit(f"`{name}` gives another value")
    costs: dict[str, list[float]] = {name: [] for name in all_of_them}
    for _ in range(number):
        for name, (function, inputs) in all_of_them.items():
            # What a call allocates is part of it; when all that lives is looked at is chance.
            gc.collect()
            gc.disable()
            costs[name].append(cost(function, inputs, calls))
            gc.enable()
    return costs


def rows(costs: dict[str, list[float]]) -> list[Row]:
    """The table."""
    table = [Row(name, Spread.of(values), "ns a call") for name, values in costs.items()]
    of = "the JSON round trip of convert_via_json! as sentry-streams does it"
    ratio = turns.ratios(costs["dict, direct"], costs["dict, as sentry-streams does it"])
    table.append(Row(f"direct dict in and out / {of}", ratio, "x", 0.25, at_most=True))
    own = turns.ratios(costs["dict, direct"], costs["dict, convert_via_json!"])
    table.append(Row("direct dict in and out / our own convert_via_json!", own, "x"))
    return table


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    costs = measured(given.turns, given.calls)
    table = rows(costs)
    print(turns.render(table))
    if given.results is not None:
        turns.keep(given.results, "calls", table, {"ns": costs})


if __name__ == "__main__":
    main()
